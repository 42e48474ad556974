"""Who owns workflows where a Lease says who leads."""

from typing import Protocol


class Candidate(Protocol):
    """What is asked of a `Leadership`."""

    @property
    def identity(self) -> str: ...

    @property
    def transitions(self) -> int: ...

    @property
    def leads(self) -> bool: ...


class LeaseOwners:
    """Implements `store.owners.Owners`. Whoever led by the same Lease before is dead to us; anybody
    else, such as a `wf run` on somebody's machine, owns what it claimed until it gives it up."""

    leads = True

    def __init__(self, leadership: Candidate, lease: str) -> None:
        self._prefix = f"{lease}/"
        self._leadership = leadership
        self.id = self._prefix + leadership.identity

    @property
    def least_epoch(self) -> int:
        """The Lease's count of transitions."""
        return self._leadership.transitions

    def hold(self) -> None:
        """The Lease is what others see. Raises OSError where it is no longer ours."""
        if not self._leadership.leads:
            raise OSError("this controller does not lead any more")

    def live(self, owner: str) -> str | None:
        """As `Owners.live`."""
        return None if owner.startswith(self._prefix) else f"'{owner}'"

    def drop(self) -> None:
        """The Lease is released by whoever took it."""
