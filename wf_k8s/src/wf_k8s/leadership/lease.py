"""The Lease at the API server: read, create and replace, and what a conflict means."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from wf_k8s.client.errors import RefusedError
from wf_k8s.client.resources import LEASES
from wf_k8s.client.session import Session
from wf_k8s.leadership.record import Document, Record

CONFLICT = 409

_encode = msgspec.json.Encoder().encode


class Notes(Protocol):
    """What is kept on the Lease beside who holds it (see `suspects`)."""

    def has_news(self) -> bool:
        """Whether it has something to say that does not wait for this process to lead."""

    def saw(self, document: Mapping[str, Any]) -> None:
        """The Lease as it is now."""

    def put_into(self, document: Document) -> Callable[[], None]:
        """Add to what is about to be written; what is to be called once that is stored. What is
        within `document` stays as it is, since a reading may have it too."""


class Lease:
    """One Lease, with `notes` on it. Each verb raises StoreUnavailable where the API server can't
    be asked or refuses for another reason than those named."""

    def __init__(
        self, session: Session, namespace: str, name: str, notes: Notes | None = None
    ) -> None:
        self.namespace = namespace
        self.name = name
        self._session = session
        self._notes = notes

    async def read(self) -> Record | None:
        """As it is now; None where there is none."""
        try:
            raw = await self._session.request("GET", LEASES.path(self.namespace, self.name))
        except RefusedError as error:
            if error.code == 404:
                return None
            raise
        record = Record.read(raw)
        if self._notes is not None:
            self._notes.saw(record.document)
        return record

    async def note(self, record: Record) -> None:
        """Add what this process has to say, whoever holds it. Where somebody was faster, that is
        for the next look."""
        if self._notes is not None and self._notes.has_news():
            await self.replace({**record.document})

    async def create(self, document: Document) -> Record | None:
        """Make it; None where somebody was faster."""
        return await self._write("POST", LEASES.path(self.namespace), document, (CONFLICT,))

    async def replace(self, document: Document) -> Record | None:
        """Put `document` in its place; None where it changed since it was read, or is gone."""
        path = LEASES.path(self.namespace, self.name)
        return await self._write("PUT", path, document, (CONFLICT, 404))

    async def _write(
        self, method: str, path: str, document: Document, fine: tuple[int, ...]
    ) -> Record | None:
        stored: Callable[[], None] | None = None
        if self._notes is not None:
            stored = self._notes.put_into(document)
        try:
            raw = await self._session.request(method, path, body=_encode(document))
        except RefusedError as error:
            # Without its namespace a Lease can't be made: then 404 is no race.
            if error.code in fine:
                return None
            raise
        if stored is not None:
            stored()
        return Record.read(raw)
