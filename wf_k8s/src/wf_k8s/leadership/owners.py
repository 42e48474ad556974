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

    async def confirm(self) -> bool: ...


class LeaseOwners:
    """Implements `store.owners.Owners`. Whoever led by the same Lease before is dead to us; anybody
    else, such as a `wf run` on somebody's machine, owns what it claimed until it gives it up.

    An owner by the same Lease may also be our successor, where we stood still and do not know yet.
    A Lease that is found ours after its claim was seen tells that it led before us: once is enough,
    since nobody leads twice.
    """

    leads = True

    def __init__(self, leadership: Candidate, lease: str) -> None:
        self._prefix = f"{lease}/"
        self._leadership = leadership
        self._dead: set[str] = set()
        self.id = self._prefix + leadership.identity

    @property
    def least_epoch(self) -> int:
        """The Lease's count of transitions."""
        return self._leadership.transitions

    @property
    def owns(self) -> bool:
        """Whether the deadline of the Lease is still to come."""
        return self._leadership.leads

    def hold(self) -> None:
        """The Lease is what others see. Raises OSError where it is no longer ours."""
        if not self._leadership.leads:
            raise OSError("this controller does not lead any more")

    async def live(self, owner: str) -> str | None:
        """As `Owners.live`."""
        if not owner.startswith(self._prefix):
            return f"'{owner}'"
        if owner not in self._dead:
            if not await self._leadership.confirm():
                return f"'{owner}', which leads now"
            self._dead.add(owner)
        return None

    def drop(self) -> None:
        """The Lease is released by whoever took it."""
