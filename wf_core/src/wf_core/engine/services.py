"""What every runner works with."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import attrs

from wf_core.config import Config
from wf_core.engine.courier import Courier
from wf_core.limits import KindLimits, Limits
from wf_core.model.spec import Key
from wf_core.model.state import Transition
from wf_core.plugins import Registry
from wf_core.ports import Announcer, CallbackSender, Clock, HookExecutor, Store

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
    store_url: str = ""
    listeners: list[Listener] = attrs.field(factory=list)
    closing: bool = False

    def tracer(self, uid: str, annotations: Mapping[str, str]) -> Callable[[], Mapping[str, str]]:
        """Finds the trace context of a workflow's calls and callbacks; asks nobody where nobody
        traces."""
        if not self.registry.traces:
            return dict
        return partial(self.registry.trace_context, uid, annotations)

    @classmethod
    def of(
        cls,
        *,
        store: Store,
        registry: Registry,
        executor: HookExecutor,
        clock: Clock,
        sender: CallbackSender,
        announcer: Announcer,
        config: Config,
        folder: Path,
        store_url: str,
    ) -> "Services":
        """With the courier and the limits that the configuration asks for."""
        callbacks, controller = config.callbacks, config.controller_config
        courier = Courier(
            sender,
            clock,
            give_up_after=callbacks.give_up_after,
            give_up_after_deletion=callbacks.give_up_after_deletion,
        )
        kinds = {
            each.kind: KindLimits(each.qps, each.concurrency, each.max_active)
            for each in controller.steps
        }
        limits = Limits(controller.concurrency, kinds)
        return cls(
            store,
            registry,
            executor,
            clock,
            courier,
            announcer,
            config,
            limits,
            folder,
            store_url,
        )
