"""A session that sends nothing more once the leadership is over."""

from collections.abc import Callable, Mapping

from wf_core.errors import StoreUnavailable
from wf_k8s.client.access import Access
from wf_k8s.client.pace import Throttle
from wf_k8s.client.session import JSON, Chance, Observer, Session


class FencedSession(Session):
    """Asks `may_write()` before each write. What slips through, since a process can be paused right
    after it, is refused by the API server: a save tests epoch and revision."""

    def __init__(
        self,
        access: Access,
        may_write: Callable[[], bool],
        *,
        throttle: Throttle,
        timeout: float,
        observer: Observer | None,
        chance: Chance | None = None,
    ) -> None:
        super().__init__(
            access, throttle=throttle, timeout=timeout, observer=observer, chance=chance
        )
        self._may_write = may_write

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        timeout: float | None = None,
        cost: int = 1,
    ) -> bytes:
        """As `Session.request`. Raises StoreUnavailable for a write after the end."""
        if method != "GET" and not self._may_write():
            raise StoreUnavailable(f"{method} {path}: not sent: this controller does not lead")
        return await super().request(
            method,
            path,
            params=params,
            body=body,
            content_type=content_type,
            timeout=timeout,
            cost=cost,
        )
