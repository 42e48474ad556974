"""A Lease as the API server holds it, and what becomes of it: pure, the time is handed in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import msgspec

from wf_core.errors import StoreForeign
from wf_k8s.client.resources import LEASES

LABEL = "workflow.example.com/controller"
"""On the Lease of every controller, with the value `lease`."""


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None


class _Lease(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)
    spec: _Spec = msgspec.field(default_factory=_Spec)


_typed = msgspec.json.Decoder(_Lease)
_whole = msgspec.json.Decoder(dict[str, Any])

Document = dict[str, Any]


@attrs.frozen
class Record:
    """One reading of the Lease. `holder` is "" where nobody holds it; `duration` is seconds.

    `document` is all of it, so that what others put there stays.
    """

    holder: str
    duration: float
    transitions: int
    version: str
    document: Mapping[str, Any] = attrs.field(eq=False, repr=False)

    @classmethod
    def read(cls, raw: bytes) -> "Record":
        """Decode it. Raises StoreForeign."""
        try:
            lease = _typed.decode(raw)
            document = _whole.decode(raw)
        except msgspec.DecodeError as error:
            raise StoreForeign(f"the Lease can't be read: {error}; delete it") from error
        spec = lease.spec
        return cls(
            holder=spec.holder_identity or "",
            duration=float(spec.lease_duration_seconds or 0),
            transitions=spec.lease_transitions or 0,
            version=lease.metadata.resource_version,
            document=document,
        )


def created(name: str, holder: str, duration: float, now: float, transitions: int = 0) -> Document:
    """A new Lease, held by `holder` from `now` (epoch seconds) on."""
    return {
        "apiVersion": LEASES.api_version,
        "kind": "Lease",
        "metadata": {"name": name, "labels": {LABEL: "lease"}},
        "spec": _held(holder, duration, now, now, transitions),
    }


def taken(record: Record, holder: str, duration: float, now: float) -> Document:
    """The Lease, taken over; by its label people find it, whatever it is called."""
    metadata = record.document.get("metadata", {})
    labels = {**(metadata.get("labels") or {}), LABEL: "lease"}
    document = {**record.document, "metadata": {**metadata, "labels": labels}}
    record = attrs.evolve(record, document=document)
    return _with(record, _held(holder, duration, now, now, record.transitions + 1))


def renewed(record: Record, now: float) -> Document:
    """The Lease, held for another while."""
    return _with(record, {"renewTime": micro_time(now)})


def released(record: Record, now: float) -> Document:
    """The Lease, held by nobody: whoever looks next may take it at once. Its count stays."""
    return _with(
        record, {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": micro_time(now)}
    )


def micro_time(now: float) -> str:
    """Epoch seconds as a Lease writes them."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _held(
    holder: str, duration: float, acquired: float, renewed_at: float, transitions: int
) -> dict[str, object]:
    return {
        "holderIdentity": holder,
        "leaseDurationSeconds": round(duration),
        "acquireTime": micro_time(acquired),
        "renewTime": micro_time(renewed_at),
        "leaseTransitions": transitions,
    }


def _with(record: Record, changed: Mapping[str, object]) -> Document:
    # The resourceVersion in it makes the API server refuse what builds on an older reading.
    spec = {**record.document.get("spec", {}), **changed}
    return {**record.document, "spec": spec}
