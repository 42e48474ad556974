"""Sending a save until its fate is known (kubernetes.md 8)."""

import logging
import secrets
from collections.abc import Awaitable, Callable

import attrs

from wf_core.adapters import store_rules as rules
from wf_core.model.spec import Key
from wf_core.ports import Changes, Saved
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_k8s.store.guard import keeps_guard
from wf_k8s.store.known import Known
from wf_k8s.store.numbers import Numbers
from wf_k8s.store.objects import Objects, refused_by_test
from wf_k8s.store.patch import Prepared, prepare
from wf_k8s.store.sizes import check_size, too_large

log = logging.getLogger("wf.k8s")
TRIES = 4

Fresh = Callable[[Key], Awaitable[Known | None]]


@attrs.frozen
class Sent:
    """How a save ended; `body` is the object as it is now, where the API server said so."""

    answer: Saved
    known: Known | None = None
    body: bytes | None = None


def refused(changes: Changes, known: Known) -> Saved | None:
    """What a save comes to that need not be sent: it does not build on what is stored, or can't be
    a save. None where it should be sent."""
    if changes.uid != known.uid:
        return Saved.LOST
    status, head = known.status, changes.head
    claims = head.owner.epoch > changes.base_epoch
    builds = (changes.base_epoch, changes.base_revision) == (status.epoch, status.revision)
    if not builds or not (claims or head.owner.id == status.owner):
        repeated = rules.repeats(head, known.head)
        return Saved.SAVED if repeated else Saved.LOST
    # An epoch may follow a Lease's count, and so leave some out.
    level = attrs.evolve(changes, base_epoch=head.owner.epoch) if claims else changes
    if rules.incoherence(level, len(known.workflow.spec.steps)) is not None:
        return Saved.INVALID
    return None


async def send(
    objects: Objects,
    key: Key,
    known: Known,
    changes: Changes,
    numbers: Numbers,
    fresh: Fresh,
    now: float,
) -> Sent:
    """Send a save that builds on `known`; `fresh` reads the object as it is stored.

    The same patch may be sent again: it tests the revision, and its saveId tells whether an earlier
    one landed. Raises StatusTooLargeError, and RefusedError for what an operator must fix: a right
    that is missing, or a policy of the cluster. Only what our own schema refuses is invalid.
    """
    prepared = prepare(known, changes, numbers, save_id=secrets.token_hex(8), now=now)
    check_size(known, key, changes, prepared.body)
    for attempt in range(1, TRIES + 1):
        try:
            body = await objects.patch(key, prepared.body, "status", work=known.work)
            return Sent(Saved.SAVED, prepared.after, body)
        except NoAnswerError as error:
            log.info("%s: %s", key, error)
        except RefusedError as error:
            if error.too_large:
                names = [step.name for step in known.workflow.spec.steps]
                sizes = {names[index]: 0 for index in changes.steps}
                raise too_large(key, known.size + len(prepared.body), sizes) from error
            if error.code == 404:
                return Sent(Saved.LOST)
            if refused_by_test(error):
                return await _settled(key, known, changes, prepared, fresh, error)
            if error.by_schema:
                log.error("%s: the schema refused a save: %s", key, error)
                return Sent(Saved.INVALID)
            if not (error.passing or error.code == 409):
                raise
            log.info("%s: %s", key, error)
        if attempt < TRIES:
            await objects.session.pause(attempt)
    return Sent(Saved.UNKNOWN)


async def _settled(
    key: Key,
    known: Known,
    changes: Changes,
    prepared: Prepared,
    fresh: Fresh,
    error: RefusedError,
) -> Sent:
    """A test of the patch failed, or it was no patch: what is stored tells which."""
    stored = await fresh(key)
    if stored is None or stored.uid != changes.uid:
        return Sent(Saved.LOST)
    if stored.status.save_id == prepared.save_id:
        return Sent(Saved.SAVED, stored)
    unmoved = (stored.status.epoch, stored.status.revision, stored.status.owner) == (
        known.status.epoch,
        known.status.revision,
        known.status.owner,
    )
    if unmoved and stored.finalizers != known.finalizers and keeps_guard(known, changes):
        return Sent(Saved.UNKNOWN, stored)  # it is guarded anew, and then saved
    if unmoved:
        log.error("%s: the API server could not apply a save: %s", key, error)
        return Sent(Saved.INVALID, stored)
    return Sent(Saved.LOST, stored)
