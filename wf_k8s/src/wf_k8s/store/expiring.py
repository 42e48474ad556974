"""Removing a finished workflow object by age, if nothing has happened to it.

The finalizer goes first: an object whose deletion is asked while it is on would be undone, as its
`deletionPolicy` says. So would one that stays because somebody else's finalizer is on it, which
therefore keeps it from going by age. What a crash leaves between the two is due as before.
"""

from collections.abc import Awaitable, Callable

from wf_core.adapters import store_rules as rules
from wf_core.model.spec import Key
from wf_k8s.client.errors import RefusedError
from wf_k8s.store import guard
from wf_k8s.store.known import Known, read_known
from wf_k8s.store.objects import Objects, refused_by_test
from wf_k8s.store.saving import Fresh

TRIES = 4


async def expire(
    objects: Objects,
    key: Key,
    fresh: Fresh,
    may: Callable[[Known], bool],
    told: Callable[[bytes], None],
    leaving: Callable[[Known], Awaitable[None]],
) -> Known | None:
    """The object that was removed, `may` having allowed it as it was stored at that moment, and
    `leaving` being done; None where it did not, or where something changed again and again.

    Raises WorkflowNotFound, StoreUnavailable.
    """
    for attempt in range(1, TRIES + 1):
        known: Known | None = await fresh(key)
        if known is None:
            raise rules.not_found(key)
        if not may(known) or guard.held_by_others(known):
            return None
        await leaving(known)
        if guard.guarded(known):
            known = await _unguarded(objects, key, known, told)
        if known is not None and await objects.delete(key, known.uid, known.version):
            return known
        await objects.session.pause(attempt)
    return None


async def _unguarded(
    objects: Objects, key: Key, known: Known, told: Callable[[bytes], None]
) -> Known | None:
    """The object without the finalizer; None where it has changed meanwhile."""
    try:
        raw = await objects.patch(key, guard.take_off_unchanged(known), work=known.work)
    except RefusedError as error:
        if error.code not in (404, 409) and not refused_by_test(error):
            raise
        return None
    told(raw)
    return read_known(raw)
