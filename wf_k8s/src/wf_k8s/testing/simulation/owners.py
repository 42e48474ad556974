"""Owners of the simulated world that no Lease leads: processes on one machine."""


class SimulatedOwners:
    """Implements `store.owners.Owners`. `live` are the ids of those who hold a lock."""

    leads = False
    least_epoch = 0
    owns = True

    def __init__(self, name: str, live: dict[str, None]) -> None:
        self.id = name
        self._live = live

    def hold(self) -> None:
        """As `Owners.hold`."""
        self._live[self.id] = None

    async def live(self, owner: str) -> str | None:
        """As `Owners.live`."""
        return f"'{owner}'" if owner in self._live else None

    def drop(self) -> None:
        """As `Owners.drop`."""
        self._live.pop(self.id, None)
