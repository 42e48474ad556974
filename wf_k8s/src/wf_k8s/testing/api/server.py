"""The server: one request, one answer, at once. Time, loss and delay are the line's."""

import datetime
from collections.abc import Callable, Mapping

import attrs
import msgspec

from wf_core.model.spec import Key
from wf_k8s.client.resources import LEASES, SELF_REVIEWS, WORKFLOWS
from wf_k8s.testing.api.collection import Collection, Held
from wf_k8s.testing.api.json_patch import PatchRefused, apply
from wf_k8s.testing.api.replies import Reply, failure
from wf_k8s.testing.api.schema import Document, completed, refusals

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
PERSON = "people"
"""Who everybody is here who asks."""
_KEPT = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "generation")
"""Metadata that no writer changes."""


@attrs.frozen
class Place:
    """What a path names."""

    plural: str
    namespace: str | None
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace or "", self.name)


def place_of(path: str) -> Place:
    """Read a path below `/apis/GROUP/VERSION`."""
    parts = path.split("/")[4:]
    namespace = None
    if parts[0] == "namespaces":
        namespace, parts = parts[1], parts[2:]
    return Place(parts[0], namespace, *parts[1:3])


class ApiServer:
    """`now` gives epoch seconds. It knows workflows and Leases; Events are taken and forgotten."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._version = 100
        self._uids = 0
        self.workflows = Collection(self._next)
        self.leases = Collection(self._next)

    @property
    def version(self) -> int:
        """The newest one."""
        return self._version

    def _next(self) -> int:
        self._version += 1
        return self._version

    def handle(
        self, method: str, path: str, params: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """Answer a request that is no watch."""
        place = place_of(path)
        if place.plural == WORKFLOWS.plural:
            held = self.workflows
        elif place.plural == LEASES.plural:
            held = self.leases
        elif place.plural == SELF_REVIEWS.plural:
            return Reply(201, _encode({"status": {"userInfo": {"username": PERSON}}}))
        else:
            return Reply(201, body or b"{}")
        match method:
            case "GET" if place.name:
                return self._get(held, place)
            case "GET":
                return self._list(held, params)
            case "POST":
                return self._create(held, place, _decode(body or b""))
            case "PUT":
                return self._replace(held, place, _decode(body or b""))
            case "PATCH":
                return self._patch(held, place, body or b"")
            case "DELETE":
                return self._delete(held, place, _decode(body or b"{}"))
        return failure(400, f"{method} is unknown")

    def _get(self, collection: Collection, place: Place) -> Reply:
        held = collection.objects.get(place.key)
        return _missing(place) if held is None else Reply(200, held.raw)

    def _list(self, collection: Collection, params: Mapping[str, str]) -> Reply:
        name = params.get("fieldSelector", "").removeprefix("metadata.name=")
        found = [
            held.raw for held in collection.objects.values() if not name or held.key.name == name
        ]
        head = _encode({"resourceVersion": str(self._version)})
        return Reply(200, b'{"metadata":' + head + b',"items":[' + b",".join(found) + b"]}")

    def _create(self, collection: Collection, place: Place, document: Document) -> Reply:
        meta = document["metadata"]
        key = Key(place.namespace or "", meta["name"])
        if key in collection.objects:
            return failure(409, f'"{key.name}" already exists', reason="AlreadyExists")
        self._uids += 1
        meta |= {
            "namespace": key.namespace,
            "uid": f"uid-{self._uids}",
            "creationTimestamp": self._time(),
            "generation": 1,
        }
        if collection is self.workflows:
            document.pop("status", None)
            completed(document)
        return Reply(201, collection.put(key, document).raw)

    def _replace(self, collection: Collection, place: Place, document: Document) -> Reply:
        held = collection.objects.get(place.key)
        if held is None:
            return _missing(place)
        if document["metadata"].get("resourceVersion") != str(held.version):
            return failure(409, "the object has been modified; apply your changes to the latest")
        meta = held.document["metadata"]
        document["metadata"] |= {name: meta[name] for name in _KEPT if name in meta}
        return Reply(200, collection.put(place.key, document).raw)

    def _patch(self, collection: Collection, place: Place, body: bytes) -> Reply:
        held = collection.objects.get(place.key)
        if held is None:
            return _missing(place)
        document, before = held.copy(), held.document
        try:
            apply(document, _decode(body))
        except PatchRefused:
            return failure(422, "the server rejected our request due to an error in our request")
        if place.subresource == "status":
            document = {**held.copy(), "status": document.get("status", {})}
        else:
            document["status"] = held.copy()["status"]
        _keep(document, before)
        completed(document)
        if causes := tuple(refusals(before, document)):
            return failure(422, f'"{place.name}" is invalid', causes=causes)
        if document == before:
            return Reply(200, held.raw)
        if document["spec"] != before["spec"]:
            document["metadata"]["generation"] += 1
        if _leaves(document):
            return Reply(200, collection.drop(place.key, document).raw)
        return Reply(200, collection.put(place.key, document).raw)

    def _delete(self, collection: Collection, place: Place, options: Document) -> Reply:
        held = collection.objects.get(place.key)
        if held is None:
            return _missing(place)
        for name, wanted in options.get("preconditions", {}).items():
            if wanted != held.document["metadata"][name]:
                return failure(409, f"the {name} in the precondition is not that of the object")
        document = held.copy()
        if not document["metadata"].get("finalizers"):
            document["metadata"].setdefault("deletionTimestamp", self._time())
            return Reply(200, collection.drop(place.key, document).raw)
        if "deletionTimestamp" in document["metadata"]:
            return Reply(200, held.raw)
        document["metadata"]["deletionTimestamp"] = self._time()
        document["metadata"]["deletionGracePeriodSeconds"] = 0
        document["metadata"]["generation"] += 1
        return Reply(200, collection.put(place.key, document).raw)

    def edit(self, key: Key, change: Callable[[Document], None]) -> Held | None:
        """What somebody does to a workflow with `kubectl edit`; None where there is none."""
        held = self.workflows.objects.get(key)
        if held is None:
            return None
        document = held.copy()
        change(document)
        if _leaves(document):
            return self.workflows.drop(key, document)
        return self.workflows.put(key, document)

    def _time(self) -> str:
        when = datetime.datetime.fromtimestamp(int(self._now()), datetime.UTC)
        return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _keep(document: Document, before: Document) -> None:
    """Put back what no writer changes; a deletion takes no more finalizers."""
    meta, was = document["metadata"], before["metadata"]
    meta["resourceVersion"] = was["resourceVersion"]
    for name in _KEPT:
        if name in was:
            meta[name] = was[name]
        else:
            meta.pop(name, None)
    if "deletionTimestamp" in was:
        meta["finalizers"] = [
            each for each in meta.get("finalizers", ()) if each in was.get("finalizers", ())
        ]
    if not meta.get("finalizers"):
        meta.pop("finalizers", None)


def _leaves(document: Document) -> bool:
    meta = document["metadata"]
    return "deletionTimestamp" in meta and not meta.get("finalizers")


def _missing(place: Place) -> Reply:
    return failure(404, f'{place.plural} "{place.name}" not found')
