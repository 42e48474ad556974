"""Faults of the design that this project starts from which concern a cluster: never here.

Others of its list have their tests with the engine (tests/seed) and with the definition.
"""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, put, request, step, workflow

ROOT = Path(__file__).parents[2]


def quick(name: str = "a", *after: str, **parameters: Any) -> Json:
    """A step that takes no time."""
    template = {"type": "random", "parameters": {"sleepSeconds": 0, **parameters}}
    return step(name, *after, stepTemplate=template)


def phases(sagas: Sagas, *names: str) -> list[str]:
    return [sagas.get(name)["status"]["phase"] for name in names]


def test_fault_2_the_documented_way_to_the_definition_works(sagas: Sagas) -> None:
    """`wf crd | kubectl apply --server-side -f -`, as docs say; a server-side dry run judges it."""
    command = "wf crd | kubectl apply --server-side -f -"
    assert command in (ROOT / "docs" / "kubernetes.md").read_text()
    made = subprocess.run(
        [sys.executable, "-m", "wf_core.cli.main", "crd"],
        capture_output=True,
        text=True,
        check=True,
    )
    done = sagas.kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=made.stdout)
    assert "customresourcedefinition" in done


def test_fault_4_finished_workflows_free_their_places_and_fifo_has_an_order(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    names = [f"w{n}" for n in range(5)]
    for name in names:
        sagas.create(workflow(notes.step(name), name=name))
        time.sleep(1.01)  # times of creation have whole seconds in a cluster
    controllers.leader(controllerConfig={"queue": {"maxRunningCount": 1}})
    await_phase(sagas, "Success", names[-1])
    assert phases(sagas, *names) == ["Success"] * 5
    assert notes.lines() == [f"run-{name}" for name in names]


def test_fault_4_fair_can_be_reached_and_is_fair(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """The queue that came last is not behind all of the one that came first."""
    flood = [f"flood-{n}" for n in range(4)]
    for name in flood:
        sagas.create(workflow(notes.step(name, then="sleep 0.2"), name=name, queue="flood"))
    sagas.create(workflow(notes.step("small"), name="small", queue="small"))
    controllers.leader(controllerConfig={"queue": {"strategy": "FAIR", "maxRunningCount": 2}})
    await_phase(sagas, "Success", "small")
    for name in flood:
        await_phase(sagas, "Success", name)
    assert notes.lines().index("run-small") <= 1


def test_fault_5_the_rate_of_a_kind_throttles_its_runs(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader(controllerConfig={"steps": [{"kind": "command", "qps": 2}]})
    sagas.create(workflow(*(notes.step(name) for name in "abcde")))
    reached = await_phase(sagas, "Success")["status"]["steps"]
    starts = sorted(each["reached"]["Running"] for each in reached.values())
    assert starts[-1] - starts[0] >= 1.9
    assert min(b - a for a, b in pairwise(starts)) >= 0.45


def test_fault_6_there_is_no_half_created_workflow(sagas: Sagas, controllers: Controllers) -> None:
    """All steps are in the one object, and progress counts those of its spec."""
    controllers.leader()
    sagas.create(workflow(quick("a"), quick("b", "a"), quick("c", "b")))
    seen = await_phase(sagas, "Success")["status"]
    assert seen["progress"] == "3/3"
    assert {name: each["phase"] for name, each in seen["steps"].items()} == dict.fromkeys(
        "abc", "Success"
    )


def test_fault_7_names_of_other_namespaces_do_not_collide(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    other = Sagas(sagas.kubectl, f"{sagas.namespace}-b")
    sagas.kubectl("create", "namespace", other.namespace)
    first, second = (
        controllers,
        Controllers(controllers.cluster, other.namespace, notes.file.parent / "b"),
    )
    second.folder.mkdir()
    try:
        first.leader()
        second.leader()
        sagas.create(workflow(notes.step("a")))
        other.create(workflow(notes.step("a", then="exit 1")))
        await_phase(sagas, "Success")
        await_phase(other, "RollBacked")
        assert sorted(notes.lines()) == ["run-a", "run-a", "undo-a"]
    finally:
        second.close()


@contextmanager
def receiving() -> Iterator[tuple[str, list[tuple[Json, int]]]]:
    """A receiver of callbacks that refuses the first: its address, and bodies with answers."""
    got: list[tuple[Json, int]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code = 503 if not got else 200
            got.append((body, code))
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_fault_9_callbacks_say_who_and_when_are_repeated_and_let_the_object_go(
    sagas: Sagas, controllers: Controllers
) -> None:
    controllers.leader()
    with receiving() as (url, got):
        made = sagas.create(workflow(quick("a"), callback={"url": url}))
        await_phase(sagas, "Success")
        until(
            lambda: "finalizers" not in sagas.get()["metadata"] or None, "everything was delivered"
        )
    refused, *delivered = got
    assert refused[1] == 503
    ids = [body["eventId"] for body, _ in got]
    uid = made["metadata"]["uid"]
    assert ids[0] == ids[1]
    assert ids[1:] == [f"{uid}/{n}" for n in range(1, len(delivered) + 1)]
    for body, _ in got:
        assert (body["name"], body["namespace"], body["uid"]) == ("order", sagas.namespace, uid)
    assert delivered[-1][0]["phase"] == "Success"


def test_a_receiver_that_is_not_public_is_not_called_unless_the_operator_allows_it(
    sagas: Sagas, controllers: Controllers
) -> None:
    first = controllers.leader(callbacks={})
    with receiving() as (url, got):
        sagas.create(workflow(quick("a"), callback={"url": url}))
        await_phase(sagas, "Success")
        assert got == []
        first.end()
        controllers.leader(callbacks={"allowedHosts": ["127.0.0.1"]})
        until(lambda: "finalizers" not in sagas.get()["metadata"] or None, "all was delivered")
    assert got[-1][0]["phase"] == "Success"


def test_fault_9_an_empty_url_does_not_hold_the_object(
    sagas: Sagas, controllers: Controllers
) -> None:
    controllers.leader()
    sagas.create(workflow(quick("a"), callback={"url": ""}))
    await_phase(sagas, "Success")
    until(lambda: "finalizers" not in sagas.get()["metadata"] or None, "it may go")


def test_fault_11_a_workflow_that_waits_in_its_queue_goes_at_once(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader(controllerConfig={"queue": {"maxRunningCount": 1}})
    sagas.create(workflow(notes.step("a", then="sleep 60"), name="first"))
    await_phase(sagas, "Running", "first")
    sagas.create(workflow(notes.step("b")))
    sagas.kubectl("-n", sagas.namespace, "delete", "saga", "order", "--timeout=10s")
    assert "run-b" not in notes.lines()


def test_fault_11_a_failed_undo_can_be_tried_again(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    door = notes.file.parent / "open"
    shut = notes.step("a", then="exit 1")
    shut["stepTemplate"]["parameters"]["rollback"] = f"test -e {door}"
    sagas.create(workflow(shut))
    await_phase(sagas, "Failed")
    door.touch()
    sagas.patch(put("/spec/requests", [request("again", "RetryRollback", step="a")]))
    assert await_phase(sagas, "RollBacked")["status"]["answers"][0]["verdict"] == "Applied"


def test_fault_12_the_intent_is_stored_before_the_run_begins(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """The step itself asks the API server what is stored of it."""
    controllers.leader()
    asks = (
        f"{sagas.kubectl.program} --kubeconfig {sagas.kubectl.kubeconfig} -n {sagas.namespace} "
        "get saga order -o jsonpath='{.status.steps.a.phase}/{.status.steps.a.attempt}' "
        f">> {notes.file}"
    )
    sagas.create(workflow(notes.step("a", then=asks)))
    await_phase(sagas, "Success")
    assert notes.lines() == ["run-a", "Running/1"]


def test_fault_14_explicit_zero_and_false_come_through_the_api_server(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    failing = notes.step("a", then="exit 1")
    failing["stepTemplate"]["retryPolicy"] = {"runRetryLimit": 0, "runRetryPeriodSeconds": 0}
    made = sagas.create(
        workflow(failing, suspend=False, callback={"url": "", "ignoreNotFound": False})
    )
    assert made["spec"]["callback"]["ignoreNotFound"] is False
    assert made["spec"]["steps"][0]["stepTemplate"]["retryPolicy"]["runRetryLimit"] == 0
    controllers.leader()
    await_phase(sagas, "RollBacked")
    assert notes.lines() == ["run-a", "undo-a"]


def test_fault_15_an_error_clears_once_the_step_succeeds(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    door = notes.file.parent / "open"
    late = notes.step("a", then=f"test -e {door} || {{ echo shut >&2; exit 1; }}")
    late["stepTemplate"]["retryPolicy"] = {"runRetryLimit": 50, "runRetryPeriodSeconds": 0.2}
    sagas.create(workflow(late))

    def shut() -> bool | None:
        errors: dict[str, str] = sagas.get()["status"].get("runError", {})
        return True if "shut" in errors.get("a", "") else None

    until(shut, "its error is shown under its name")
    door.touch()
    ended = await_phase(sagas, "Success")["status"]
    assert "runError" not in ended
    assert "runError" not in ended["steps"]["a"]


def test_fault_16_the_lease_is_where_the_configuration_says(
    sagas: Sagas, controllers: Controllers
) -> None:
    controllers.leader()
    listed = sagas.kubectl("-n", sagas.namespace, "get", "leases", "-o", "name")
    assert re.fullmatch(rf"lease\S*/wf-controller\.{sagas.namespace}\n", listed)
