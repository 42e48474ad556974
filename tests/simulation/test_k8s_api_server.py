"""The API server in memory does what a real one was seen to do (kubernetes.md, tests/k8s)."""

from typing import Any

import msgspec
import pytest

from wf_core.model.spec import Key
from wf_k8s.client.resources import WORKFLOWS
from wf_k8s.testing.api.json_patch import PatchRefused, apply
from wf_k8s.testing.api.server import ApiServer

HERE = WORKFLOWS.path("default")
ORDER = WORKFLOWS.path("default", "order")
STATUS = WORKFLOWS.path("default", "order", "status")
KEY = Key("default", "order")


def _server(**meta: Any) -> ApiServer:
    server = ApiServer(lambda: 1_800_000_000.5)
    steps = [{"name": "s0", "stepTemplate": {"type": "plain"}}]
    body = {"metadata": {"name": "order", **meta}, "spec": {"steps": steps}}
    assert _sent(server, "POST", HERE, body)[0] == 201
    return server


def _sent(server: ApiServer, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    raw = None if body is None else msgspec.json.encode(body)
    reply = server.handle(method, path, {}, raw)
    return reply.status, msgspec.json.decode(reply.body)


def _patched(server: ApiServer, path: str, *ops: dict[str, Any]) -> tuple[int, Any]:
    return _sent(server, "PATCH", path, list(ops))


def test_k4_the_defaults_show_in_the_answer_to_a_creation() -> None:
    _, listed = _sent(_server(), "GET", HERE)
    status = listed["items"][0]["status"]
    assert (status["phase"], status["revision"], status["epoch"]) == ("Pending", 0, 0)


def test_k8_a_test_that_fails_is_422_without_causes_and_changes_nothing() -> None:
    server = _server()
    before = server.workflows.objects[KEY]
    code, said = _patched(
        server,
        STATUS,
        {"op": "test", "path": "/status/revision", "value": 1},
        {"op": "add", "path": "/status/revision", "value": 2},
    )
    assert (code, said["details"]) == (422, {})
    assert server.workflows.objects[KEY] is before


def test_k8_what_the_schema_refuses_is_422_with_causes() -> None:
    server = _server()
    _patched(server, STATUS, {"op": "add", "path": "/status/revision", "value": 2})
    code, said = _patched(server, STATUS, {"op": "add", "path": "/status/revision", "value": 1})
    assert (code, said["details"]["causes"][0]["field"]) == (422, "status.revision")


def test_a_patch_of_the_status_leaves_the_rest_alone_and_the_other_way_round() -> None:
    server = _server()
    label = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}
    phase = {"op": "add", "path": "/status/phase", "value": "Running"}
    assert "labels" not in _patched(server, STATUS, label)[1]["metadata"]
    assert _patched(server, ORDER, phase)[1]["status"]["phase"] == "Pending"


def test_a_patch_that_changes_nothing_makes_no_version() -> None:
    server = _server()
    version = server.version
    _patched(server, STATUS, {"op": "add", "path": "/status/phase", "value": "Pending"})
    assert server.version == version


def test_what_a_finalizer_holds_goes_with_the_finalizer() -> None:
    server = _server(finalizers=["theirs"])
    assert _sent(server, "DELETE", ORDER, {})[1]["metadata"]["deletionTimestamp"]
    assert KEY in server.workflows.objects
    more = {"op": "add", "path": "/metadata/finalizers/-", "value": "late"}
    assert _patched(server, ORDER, more)[1]["metadata"]["finalizers"] == ["theirs"]
    _patched(server, ORDER, {"op": "remove", "path": "/metadata/finalizers/0"})
    assert KEY not in server.workflows.objects
    assert [each.type for each in server.workflows.log] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_deletion_that_names_another_uid_is_refused() -> None:
    server = _server()
    assert _sent(server, "DELETE", ORDER, {"preconditions": {"uid": "other"}})[0] == 409
    assert _sent(server, "DELETE", ORDER, {"preconditions": {"uid": "uid-1"}})[0] == 200
    assert _sent(server, "DELETE", ORDER, {})[0] == 404


def test_a_replacement_must_name_the_version_it_is_built_on() -> None:
    server = ApiServer(lambda: 1.0)
    path = "/apis/coordination.k8s.io/v1/namespaces/system/leases"
    _, made = _sent(server, "POST", path, {"metadata": {"name": "wf"}, "spec": {}})
    assert _sent(server, "POST", path, {"metadata": {"name": "wf"}})[0] == 409
    assert _sent(server, "PUT", f"{path}/wf", made)[0] == 200
    assert _sent(server, "PUT", f"{path}/wf", made)[0] == 409


def test_the_past_can_be_listed() -> None:
    server = _server()
    version = server.version
    _patched(server, STATUS, {"op": "add", "path": "/status/phase", "value": "Running"})
    (held,) = server.workflows.at(version)
    assert held.document["status"]["phase"] == "Pending"
    assert [each.type for each in server.workflows.since(version)] == ["MODIFIED"]


@pytest.mark.parametrize(
    ("op", "after"),
    [
        ({"op": "add", "path": "/a/-", "value": 3}, {"a": [1, 2, 3], "b~/": 1}),
        ({"op": "add", "path": "/a/0", "value": 0}, {"a": [0, 1, 2], "b~/": 1}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2], "b~/": 1}),
        ({"op": "remove", "path": "/b~0~1"}, {"a": [1, 2]}),
        ({"op": "add", "path": "/b~0~1", "value": 2}, {"a": [1, 2], "b~/": 2}),
        ({"op": "test", "path": "/c", "value": None}, {"a": [1, 2], "b~/": 1}),
    ],
)
def test_operations(op: dict[str, Any], after: dict[str, Any]) -> None:
    assert apply({"a": [1, 2], "b~/": 1}, [op]) == after


@pytest.mark.parametrize(
    "op",
    [
        {"op": "remove", "path": "/c"},
        {"op": "remove", "path": "/a/2"},
        {"op": "add", "path": "/a/3", "value": 0},
        {"op": "add", "path": "/c/d", "value": 0},
        {"op": "test", "path": "/a", "value": [1]},
        {"op": "move", "path": "/a", "from": "/b"},
    ],
)
def test_operations_that_are_refused(op: dict[str, Any]) -> None:
    with pytest.raises(PatchRefused):
        apply({"a": [1, 2]}, [op])
