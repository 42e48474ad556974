"""Who goes on with a workflow in a cluster, and which of its saves the cluster refuses: told from
Leases and Events, which the status does not know of."""

from datetime import datetime

import msgspec

from wf_core.errors import StoreUnavailable
from wf_core.model.spec import Key
from wf_core.standing import Standing
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.listing import read_all
from wf_k8s.client.resources import LEASES
from wf_k8s.leadership.record import LABEL
from wf_k8s.store.objects import Objects
from wf_k8s.store.warnings import REVISION, SAVE_REFUSED

CLOCKS_APART_SECONDS = 60.0
"""How far this machine's clock may be from that of a controller."""


class _Meta(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    annotations: dict[str, str] | None = None


class _LeaseSpec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: float | None = None
    renew_time: str | None = None


class _Lease(msgspec.Struct):
    metadata: _Meta
    spec: _LeaseSpec = msgspec.field(default_factory=_LeaseSpec)


class _Event(msgspec.Struct):
    metadata: _Meta
    note: str = ""


_lease = msgspec.json.Decoder(_Lease)
_event = msgspec.json.Decoder(_Event)


async def standing(objects: Objects, key: Key, revision: int, now: float) -> Standing:
    """How the workflow stands whose stored status has that revision; `now` is epoch seconds."""
    refusals, unknown = await _refusals(objects, key, revision)
    try:
        leases = await read_all(objects.session, LEASES.path(None), {"labelSelector": LABEL})
    except RefusedError as error:
        if error.code != 403:
            raise
        why = "whether a controller runs can't be told: you may not list the cluster's Leases"
        return Standing(None, refusals, (why, *unknown))
    holders = [_holder(raw, now) for raw in leases]
    keeper = next((holder for holder in holders if holder), None)
    return Standing(keeper or "", refusals, unknown)


def _holder(raw: bytes, now: float) -> str:
    """The controller that holds a Lease and renews it; "" where none does."""
    try:
        lease = _lease.decode(raw)
        meta, spec = lease.metadata, lease.spec
        if not (spec.holder_identity and spec.renew_time):
            return ""
        since = now - datetime.fromisoformat(spec.renew_time).timestamp()
    except (msgspec.MsgspecError, ValueError):
        return ""  # no Lease that a controller of ours wrote
    if since > (spec.lease_duration_seconds or 0.0) + CLOCKS_APART_SECONDS:
        return ""
    return f"controller '{spec.holder_identity}' (Lease {meta.namespace}/{meta.name})"


async def _refusals(
    objects: Objects, key: Key, revision: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What refused the save that would come next, and why that can't be told."""
    try:
        found = await objects.events(key.namespace, SAVE_REFUSED, key.name)
    except StoreUnavailable as error:
        return (), (f"whether the cluster refuses to save it can't be told: {error}",)
    notes = []
    for raw in found:
        event = _event.decode(raw)
        if (event.metadata.annotations or {}).get(REVISION) == str(revision):
            notes.append(event.note)
    return tuple(notes), ()
