"""The Lease at the API server: read, create and replace, and what a conflict means."""

from wf_k8s.client.errors import RefusedError
from wf_k8s.client.resources import LEASES
from wf_k8s.client.session import Session
from wf_k8s.leadership.record import Record

CONFLICT = 409


class Lease:
    """One Lease. Each verb raises StoreUnavailable where the API server can't be asked or refuses
    for another reason than those named."""

    def __init__(self, session: Session, namespace: str, name: str) -> None:
        self.namespace = namespace
        self.name = name
        self._session = session

    async def read(self) -> Record | None:
        """As it is now; None where there is none."""
        try:
            raw = await self._session.request("GET", LEASES.path(self.namespace, self.name))
        except RefusedError as error:
            if error.code == 404:
                return None
            raise
        return Record.read(raw)

    async def create(self, body: bytes) -> Record | None:
        """Make it; None where somebody was faster."""
        return await self._write("POST", LEASES.path(self.namespace), body, (CONFLICT,))

    async def replace(self, body: bytes) -> Record | None:
        """Put `body` in its place; None where it changed since it was read, or is gone."""
        path = LEASES.path(self.namespace, self.name)
        return await self._write("PUT", path, body, (CONFLICT, 404))

    async def _write(
        self, method: str, path: str, body: bytes, fine: tuple[int, ...]
    ) -> Record | None:
        try:
            raw = await self._session.request(method, path, body=body)
        except RefusedError as error:
            # Without its namespace a Lease can't be made: then 404 is no race.
            if error.code in fine:
                return None
            raise
        return Record.read(raw)
