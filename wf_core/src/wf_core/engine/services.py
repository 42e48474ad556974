"""What every runner works with."""

from collections.abc import Callable
from pathlib import Path

import attrs

from wf_core.config import Config
from wf_core.engine.courier import Courier
from wf_core.limits import Limits
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
