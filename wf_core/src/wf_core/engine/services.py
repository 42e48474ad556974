"""What every runner works with, and the permits of one workflow."""

from collections.abc import Callable
from pathlib import Path

import attrs

from wf_core.config import Config
from wf_core.engine.courier import Courier
from wf_core.limits import Limits
from wf_core.model.phases import PermitClass
from wf_core.model.spec import Key
from wf_core.model.state import Transition
from wf_core.plugins import Registry
from wf_core.ports import Announcer, Clock, HookExecutor, Store

Listener = Callable[[Key, tuple[Transition, ...]], None]


@attrs.define(eq=False)
class Services:
    """The engine's ports, its limits, and whether it is closing: then no permit is given."""

    store: Store
    registry: Registry
    executor: HookExecutor
    clock: Clock
    courier: Courier
    announcer: Announcer
    config: Config
    limits: Limits
    folder: Path
    linger: float
    listeners: list[Listener] = attrs.field(factory=list)
    closing: bool = False


@attrs.frozen(eq=False)
class WorkflowPermits:
    """The permits of one workflow: what the machine asks inside a turn (semantics C1, E1)."""

    services: Services
    holder: str

    def take(self, kind: str, cls: PermitClass, now: float, *, opens: bool) -> bool:
        """One call, all or none; the limits remember who was refused."""
        if self.services.closing:
            return False
        return self.services.limits.take(self.holder, kind, cls, now, opens=opens)

    def give(self, kind: str, cls: PermitClass) -> None:
        """The call ended."""
        self.services.limits.give(kind, cls)

    def close(self, kind: str) -> None:
        """The attempt ended."""
        self.services.limits.close(kind)

    def reopen(self, kind: str) -> None:
        """An attempt was found open after a crash."""
        self.services.limits.reopen(kind)
