"""The objects of one kind in a cluster: read, create, patch, delete, in bytes."""

from collections.abc import Mapping

import msgspec

from wf_core.adapters import store_rules as rules
from wf_core.model.spec import Key
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.listing import read_all, read_one
from wf_k8s.client.pace import cost_of
from wf_k8s.client.resources import EVENTS, SELF_REVIEWS, WORKFLOWS, Resource
from wf_k8s.client.session import JSON_PATCH, Session
from wf_k8s.store.rows import identity

STRICT: Mapping[str, str] = {"fieldValidation": "Strict"}
"""Unknown fields are refused; the API server would drop them and say 200 otherwise."""

_encode = msgspec.json.Encoder().encode


class Objects:
    """Objects by key, workflows unless another kind is named. The namespace `default` of a key
    that no document names is the store's own where it shows one, as with kubectl."""

    def __init__(self, session: Session, resource: Resource = WORKFLOWS) -> None:
        self.session = session
        self.resource = resource

    async def placed(self, key: Key) -> Key:
        """Where the object of that key is."""
        if key.namespace != "default":
            return key
        door = await self.session.door()
        return Key(door.namespaces[0], key.name) if len(door.namespaces) == 1 else key

    async def collections(self) -> dict[str | None, str]:
        """The paths of all objects that this store shows, by namespace: None is every one."""
        door = await self.session.door()
        return {each: self.resource.path(each) for each in door.namespaces or (None,)}

    async def read(self, key: Key) -> bytes | None:
        """One object, as it is now."""
        return await read_one(self.session, self.resource.path(key.namespace), key.name)

    async def read_all(self) -> list[bytes]:
        """All objects, as they are now."""
        paths = await self.collections()
        return [raw for path in paths.values() for raw in await read_all(self.session, path)]

    async def create(self, key: Key, document: Mapping[str, object]) -> bytes:
        """Create an object; gives it back as the API server completed it."""
        return await self.session.request(
            "POST", self.resource.path(key.namespace), params=STRICT, body=_encode(document)
        )

    async def patch(self, key: Key, body: bytes, subresource: str = "", *, work: int = 0) -> bytes:
        """Apply a JSON patch to the object, or to its status alone. `work` is what its writing
        costs, as far as that is known (`pace.work_in`): the API server writes all of it anew."""
        return await self.session.request(
            "PATCH",
            self.resource.path(key.namespace, key.name, subresource),
            params=STRICT,
            body=body,
            content_type=JSON_PATCH,
            cost=cost_of(work),
        )

    async def delete(
        self, key: Key, uid: str, version: int | None = None, *, orphaning: bool = False
    ) -> bool:
        """Ask for the deletion of that very object, at that version where one is given, and of what
        it owns, unless `orphaning`. Whether it was: one that is gone already is."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {
                "uid": uid,
                **({} if version is None else {"resourceVersion": str(version)}),
            },
            "propagationPolicy": "Orphan" if orphaning else "Background",
        }
        try:
            await self.session.request(
                "DELETE", self.resource.path(key.namespace, key.name), body=_encode(options)
            )
        except RefusedError as error:
            if error.code not in (404, 409):
                raise
            return error.code == 404
        return True

    async def uid(self, key: Key) -> str:
        """The uid of an object as it is now. Raises WorkflowNotFound and StoreForeign."""
        raw = await self.read(key)
        if raw is None:
            raise rules.not_found(key)
        return identity(raw).uid

    async def whoami(self) -> str:
        """The user that the API server takes us for."""
        review = {"apiVersion": SELF_REVIEWS.api_version, "kind": "SelfSubjectReview"}
        answer = await self.session.request("POST", SELF_REVIEWS.path(None), body=_encode(review))
        return msgspec.json.decode(answer, type=_Review).status.user_info.username

    async def warn(self, namespace: str, event: Mapping[str, object]) -> None:
        """Create an Event."""
        await self.session.request("POST", EVENTS.path(namespace), body=_encode(event))

    async def events(self, namespace: str, reason: str, name: str) -> list[bytes]:
        """The Events of that reason that tell of an object of that name."""
        selector = f"reason={reason},regarding.name={name}"
        return await read_all(self.session, EVENTS.path(namespace), {"fieldSelector": selector})

    async def terminating(self, namespace: str) -> bool:
        """Whether a namespace is being deleted. Nothing is created: asking to create an Event is
        how one learns it without a right to read namespaces."""
        try:
            await self.session.request(
                "POST", EVENTS.path(namespace), params={"dryRun": "All"}, body=_encode(_PROBE)
            )
        except RefusedError as error:
            return any(each.reason == "NamespaceTerminating" for each in error.causes)
        return False


class _UserInfo(msgspec.Struct):
    username: str


class _ReviewStatus(msgspec.Struct, rename="camel"):
    user_info: _UserInfo


class _Review(msgspec.Struct):
    status: _ReviewStatus


_PROBE = {
    "apiVersion": EVENTS.api_version,
    "kind": "Event",
    "metadata": {"generateName": "wf-probe-"},
    "eventTime": "2000-01-01T00:00:00.000000Z",
    "type": "Normal",
    "reason": "Probe",
    "action": "Probe",
    "reportingController": "workflow.example.com/wf",
    "reportingInstance": "wf",
}


def refused_by_test(error: RefusedError) -> bool:
    """Whether a patch was refused by a test of its own, or is no patch: 422 without causes and
    without a policy that refused it. With causes the schema refused it, or a policy."""
    return error.code == 422 and not error.causes and not error.refuser
