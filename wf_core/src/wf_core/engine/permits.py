"""The permits of one workflow: what the machine asks inside a turn (semantics C1, E1)."""

from collections.abc import Iterable

from wf_core.engine.services import Services
from wf_core.model.phases import PermitClass


class WorkflowPermits:
    """Passes on to the limits, and knows what its workflow has, so that nothing is ever lost."""

    def __init__(self, services: Services, holder: str, namespace: str) -> None:
        self._services = services
        self._limits = services.limits
        self._holder = holder
        self._tenant = namespace
        self._calls: dict[tuple[str, PermitClass], int] = {}
        self._attempts: dict[str, int] = {}
        self._abandoned = False

    def take(self, kind: str, cls: PermitClass, now: float, *, opens: bool) -> bool:
        """One call, all or none; the limits remember who was refused."""
        if self._services.closing or self._abandoned:
            return False
        isolation = self._services.isolation
        if not isolation.admits(self._holder):
            return False
        if not self._limits.take(self._holder, kind, cls, now, opens=opens, tenant=self._tenant):
            return False
        isolation.begins(self._holder)
        self._calls[kind, cls] = self._calls.get((kind, cls), 0) + 1
        if opens:
            self._attempts[kind] = self._attempts.get(kind, 0) + 1
        return True

    def give(self, kind: str, cls: PermitClass) -> None:
        """The call ended."""
        if not self._abandoned or self._calls.get((kind, cls)):
            self._calls[kind, cls] = self._calls.get((kind, cls), 0) - 1
            self._limits.give(kind, cls, self._tenant)
            self._services.isolation.ends(self._holder)

    def close(self, kind: str) -> None:
        """The attempt ended."""
        if not self._abandoned or self._attempts.get(kind):
            self._attempts[kind] = self._attempts.get(kind, 0) - 1
            self._limits.close(kind, self._tenant)

    def reopen(self, kind: str) -> None:
        """An attempt was found open after a crash."""
        self._attempts[kind] = self._attempts.get(kind, 0) + 1
        self._limits.reopen(kind, self._tenant)

    def abandon(self, running: Iterable[tuple[str, PermitClass]]) -> None:
        """The machine speaks no more: give all back but what `running` calls still use."""
        self._abandoned = True
        self._limits.forget(self._holder)
        calls: dict[tuple[str, PermitClass], int] = {}
        attempts: dict[str, int] = {}
        for kind, cls in running:
            calls[kind, cls] = calls.get((kind, cls), 0) + 1
            attempts[kind] = attempts.get(kind, 0) + 1
        for (kind, cls), held in list(self._calls.items()):
            for _ in range(held - calls.get((kind, cls), 0)):
                self.give(kind, cls)
        for kind, held in list(self._attempts.items()):
            for _ in range(held - attempts.get(kind, 0)):
                self.close(kind)

    def ended(self, kind: str, cls: PermitClass) -> None:
        """A call ended; where the machine speaks no more, nobody else gives its permit back."""
        if self._abandoned:
            self.give(kind, cls)
            self.close(kind)
