"""What every runner works with."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import attrs

from wf_core.config import Config
from wf_core.engine.courier import Courier
from wf_core.engine.isolation import Isolation
from wf_core.errors import StoreUnavailable, WorkflowNotFound
from wf_core.limits import KindLimits, Limits
from wf_core.model.spec import Key
from wf_core.model.state import Transition
from wf_core.plugins import Registry
from wf_core.ports import Announcer, CallbackSender, Clock, HookExecutor, Store

log = logging.getLogger("wf.engine")

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
    isolation: Isolation
    folder: Path
    store_url: str = ""
    listeners: list[Listener] = attrs.field(factory=list)
    closing: bool = False

    async def release(self, key: Key) -> None:
        """Give a claim up; one that can't be given up now is found by whoever comes next."""
        try:
            await self.store.release(key)
        except (StoreUnavailable, WorkflowNotFound) as error:
            log.warning("%s: the claim was not given up: %s", key, error)

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
        isolation: Isolation,
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
        limits = Limits(controller.concurrency, kinds, shared=controller.share_permits)
        return cls(
            store,
            registry,
            executor,
            clock,
            courier,
            announcer,
            config,
            limits,
            isolation,
            folder,
            store_url,
        )
