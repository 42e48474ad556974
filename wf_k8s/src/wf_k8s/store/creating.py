"""Creating an object, once however often it is asked."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec.structs import replace

from wf_core.adapters import store_rules as rules
from wf_core.codec import to_document
from wf_core.errors import AuthorError, StoreUnavailable
from wf_core.model.spec import API_VERSION, Key, Workflow
from wf_core.model.state import Stored
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_k8s.store.guard import FINALIZER, wants_guard
from wf_k8s.store.known import Known, read_known
from wf_k8s.store.objects import Objects
from wf_k8s.store.saving import Fresh
from wf_k8s.store.sizes import misfit
from wf_k8s.store.wire import why_unreadable

CreateOwned = Callable[[Workflow, Mapping[str, Any]], Awaitable[Stored]]
"""Creates a workflow that goes with the object of the reference."""

CREATED_AS = "workflow.example.com/created-as"
"""Annotation with the uid that the creator gave. The API server gives the object one of its own;
this tells a repeated creation from another one."""
TRIES = 4


async def create(
    objects: Objects, workflow: Workflow, fresh: Fresh, owner: Mapping[str, Any] | None = None
) -> tuple[Known, bytes | None]:
    """Create the object, or find the one that an earlier call of the same made; the bytes where it
    is new. The workflow is guarded from the start, which saves a write later. With the object
    `owner` (a reference) it goes too.

    Raises WorkflowExists, AuthorError where the schema refuses the document, StoreUnavailable.
    """
    key = rules.key_of(workflow)
    try:
        return await _created(objects, rules.first_workflow(workflow), key, fresh, owner)
    except RecursionError as error:
        why = why_unreadable(error)
        raise AuthorError(f"workflow '{key}': {why}; make it flatter") from error


async def _created(
    objects: Objects,
    workflow: Workflow,
    key: Key,
    fresh: Fresh,
    owner: Mapping[str, Any] | None,
) -> tuple[Known, bytes | None]:
    if (why := misfit(workflow)) is not None:
        raise AuthorError(f"workflow '{key}': {why}")
    place = await objects.placed(key)
    document = object_of(workflow, place)
    if owner is not None:
        document["metadata"]["ownerReferences"] = [dict(owner)]
    raw = await create_object(objects, place, document, f"workflow '{key}'")
    if raw is None:
        return await _existing(key, workflow, fresh), None
    return read_known(raw), raw


def owned_by(kind: str, name: str, uid: str) -> dict[str, Any]:
    """The reference to one of our objects that makes another one, which is to go with it."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


async def create_object(
    objects: Objects, place: Key, document: Mapping[str, Any], what: str
) -> bytes | None:
    """Create an object, however often the answer is lost; None where one of that name is there,
    perhaps from an earlier try. `what` it is, for messages.

    Raises AuthorError where the schema refuses the document, StoreUnavailable.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return await objects.create(place, document)
        except NoAnswerError:
            if attempt == TRIES:
                raise
        except RefusedError as error:
            if error.code == 409:
                return None
            if error.code in (400, 422) or error.too_large:
                raise AuthorError(_refusal(what, error)) from error
            if error.code == 404 and error.reason:
                raise StoreUnavailable(
                    f"this cluster has no namespace '{place.namespace}': "
                    f"`kubectl create namespace {place.namespace}` makes it"
                ) from error
            if not error.passing or attempt == TRIES:
                raise
        await objects.session.pause(attempt)
    raise AssertionError("the last try returns or raises")


async def _existing(key: Key, workflow: Workflow, fresh: Fresh) -> Known:
    known = await fresh(key)
    if known is None:
        raise StoreUnavailable(f"workflow '{key}' is just being deleted; create it again")
    metadata = known.workflow.metadata
    uid = workflow.metadata.uid
    given = metadata.annotations.get(CREATED_AS)
    if uid not in (metadata.uid, given) or workflow.spec != known.workflow.spec:
        raise rules.exists(key)
    return known


def object_of(workflow: Workflow, key: Key) -> dict[str, Any]:
    """The object to create."""
    metadata = replace(workflow.metadata, uid="", namespace=key.namespace)
    document = to_document(replace(workflow, metadata=metadata))
    meta = document["metadata"]
    meta["namespace"] = key.namespace
    meta["annotations"] = {**metadata.annotations, CREATED_AS: workflow.metadata.uid}
    if wants_guard(workflow.spec):
        meta["finalizers"] = [FINALIZER]
    return document


def _refusal(what: str, error: RefusedError) -> str:
    if not error.causes:
        return f"the cluster refuses {what}: {error.message}"
    lines = [f"$.{each.field}: {each.message}" for each in error.causes]
    return f"the cluster refuses {what}:\n" + "\n".join(lines)
