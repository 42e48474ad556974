"""Taking a workflow up, which may be the end of the process: noted while it goes on, and left alone
where it was the end three times (semantics B3).

What is known of a workflow is known of its uid: one that is made anew under the same name begins
without a record, and with a workflow that is deleted its record goes.
"""

from collections.abc import Iterable

from wf_core.engine.isolation import Isolation
from wf_core.engine.refusal import remark, retry_is_asked
from wf_core.engine.services import Services
from wf_core.errors import EngineError
from wf_core.model.spec import Key
from wf_core.ports import Open


class TakingUp:
    """What happens to a workflow between the wish to run it and its first turn."""

    def __init__(self, services: Services, isolation: Isolation) -> None:
        self._services = services
        self._isolation = isolation
        self._begun: dict[Key, str] = {}

    async def begin(self, key: Key) -> Open:
        """What the caller has to note as open while it is taken up. Raises EngineError for a
        workflow that ends the process whenever it is taken up, unless a person asks for a retry,
        and WorkflowNotFound."""
        uid = await self._services.store.uid(key)
        self._begun[key] = uid
        taking = Open(uid)
        why = self._isolation.kills(uid)
        if why is not None and await retry_is_asked(self._services.store, key):
            self._isolation.lift(uid)
        elif why is not None:
            if self._isolation.first_refusal(uid):
                # Where this ends the process too, one more death is counted, and it is the last.
                self._isolation.opened(taking)
                await remark(self._services, key, why)
                self._isolation.closed(taking)
            raise EngineError(f"workflow '{key}': {why}")
        await self._isolation.until_free()
        return taking

    def succeeded(self, key: Key) -> None:
        """It is run from here on."""
        self._begun.pop(key, None)

    def is_another(self, key: Key, uid: str) -> bool:
        """Whether what could not be taken up under that name was another workflow than `uid`."""
        return self._begun.get(key, uid) != uid

    async def left_alone(self, key: Key) -> EngineError | None:
        """Why it is not even looked at, unless a person asks for a retry."""
        if not self._isolation.suspects:
            return None
        why = self._isolation.kills(await self._services.store.uid(key))
        if why is None or await retry_is_asked(self._services.store, key):
            return None
        return EngineError(f"workflow '{key}': {why}")

    def gone(self, key: Key) -> None:
        """The workflow of that name was deleted."""
        uid = self._begun.pop(key, None)
        if uid is not None and uid in self._isolation.suspects:
            self._isolation.lift(uid)

    def missing(self, uids: Iterable[str]) -> None:
        """Those workflows were deleted while nobody followed the store."""
        for uid in uids:
            self._isolation.lift(uid)
            self._isolation.over(uid)

    @property
    def known(self) -> set[str]:
        """The uids of which it is known what became of processes that had them open."""
        return {*self._isolation.suspects, *(each.workflow for each in self._isolation.left.open)}
