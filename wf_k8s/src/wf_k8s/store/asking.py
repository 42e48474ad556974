"""A person's request: one entry more in `spec.requests`."""

import msgspec

from wf_core.adapters import store_rules as rules
from wf_core.errors import AuthorError, StoreUnavailable
from wf_core.model.requests import MAX_REQUESTS, Request
from wf_core.model.spec import Key
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_k8s.store.known import Known
from wf_k8s.store.numbers import Numbers, id_of, seq_of_id
from wf_k8s.store.objects import Objects, refused_by_test
from wf_k8s.store.pointers import Op, add, remove, test
from wf_k8s.store.saving import Fresh
from wf_k8s.store.times import rfc3339
from wf_k8s.store.wire import WireRequest

TRIES = 10

_encode = msgspec.json.Encoder().encode


async def ask(objects: Objects, key: Key, request: Request, now: float, fresh: Fresh) -> int:
    """Add a request and give its number. Whoever makes it is named as the API server takes us; the
    chart's admission policy writes that name anew.

    Raises WorkflowNotFound, AuthorError where too many wait or the schema refuses it, and
    StoreUnavailable where others change the list all the time.
    """
    if not request.by:
        request = msgspec.structs.replace(request, by=await objects.whoami())
    sent: WireRequest | None = None
    for attempt in range(1, TRIES + 1):
        known = await fresh(key)
        if known is None:
            raise rules.not_found(key)
        if sent is not None and sent in known.requests:
            return seq_of_id(sent.id)  # its answer was lost
        if len(known.unanswered()) >= MAX_REQUESTS:
            raise rules.too_many_requests(key)
        entry, body = request_patch(known, request, now)
        try:
            await objects.patch(known.key, body, work=known.work)
            return seq_of_id(entry.id)
        except NoAnswerError:
            sent = entry
        except RefusedError as error:
            if error.code == 404:
                raise rules.not_found(key) from error
            if error.code == 422 and error.causes:
                why = "; ".join(f"{each.field}: {each.message}" for each in error.causes)
                raise AuthorError(f"workflow '{key}' can't take this request: {why}") from error
            if not refused_by_test(error) and error.code != 409:
                raise
        await objects.session.pause(attempt)
    raise StoreUnavailable(
        f"workflow '{key}': its requests are being changed all the time; ask again"
    )


def request_patch(known: Known, request: Request, now: float) -> tuple[WireRequest, bytes]:
    """The entry of a request, and the patch that adds it. It tests that the list is the one its
    number was made from. Answered requests make room where there is none."""
    numbers = Numbers()
    numbers.learn(known.requests, known.status.answers, known.status.request_seq)
    entry = WireRequest.of(request, id_of(numbers.last + 1), rfc3339(now))
    ops: list[Op] = [
        test("/metadata/uid", known.uid),
        test("/spec/requests", msgspec.Raw(known.raw_requests)),
    ]
    if known.raw_requests == b"null":
        ops.append(add("/spec/requests", [entry]))
    else:
        ops += _room(known)
        ops.append(add("/spec/requests/-", entry))
    return entry, _encode(ops)


def _room(known: Known) -> list[Op]:
    if len(known.requests) < MAX_REQUESTS:
        return []
    answered = {answer.id for answer in known.status.answers}
    places = [n for n, each in enumerate(known.requests) if each.id in answered]
    return [remove(f"/spec/requests/{place}") for place in reversed(places)]
