"""What a policy of the cluster refuses is no fault of ours: wf tells it and tries again."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, cron, step, workflow

SENTENCE = "statuses are frozen on Fridays"


@contextmanager
def refusing(
    sagas: Sagas, what: str, operation: str, probe: Callable[[Sagas], str]
) -> Iterator[str]:
    """The name of a policy that does not allow that in the namespace; it counts already, as `probe`
    tells."""
    name = f"frozen-{sagas.namespace}"
    policy: Json = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["workflow.example.com"],
                        "apiVersions": ["*"],
                        "operations": [operation],
                        "resources": [what],
                    }
                ]
            },
            "validations": [{"expression": "false", "message": SENTENCE}],
        },
    }
    binding: Json = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {
                "namespaceSelector": {
                    "matchLabels": {"kubernetes.io/metadata.name": sagas.namespace}
                }
            },
        },
    }
    sagas.create(policy)
    sagas.create(binding)
    unfreeze = ("delete", "validatingadmissionpolicybinding", name, "--ignore-not-found")
    try:
        until(lambda: SENTENCE in probe(sagas) or None, "the policy counts")
        yield name
    finally:
        sagas.kubectl(*unfreeze)
        sagas.kubectl("delete", "validatingadmissionpolicy", name)


@pytest.fixture
def frozen(sagas: Sagas) -> Iterator[str]:
    """No status can be saved."""
    sagas.create(workflow(name="probe"))
    with refusing(sagas, "workflows/status", "UPDATE", probed) as name:
        yield name


@pytest.fixture
def closed(sagas: Sagas) -> Iterator[str]:
    """No workflow can be created."""
    with refusing(sagas, "workflows", "CREATE", tried) as name:
        yield name


def tried(sagas: Sagas) -> str:
    """What the API server says to a new workflow; nothing where it takes it."""
    document = json.dumps(workflow(name="probe"))
    arguments = ("create", "-n", sagas.namespace, "--dry-run=server", "-f", "-")
    return str(sagas.kubectl.run(*arguments, stdin=document).stderr)


def probed(sagas: Sagas) -> str:
    """What the API server says to a status; nothing where it takes it."""
    arguments = ("patch", "saga", "probe", "--subresource=status", "--type=merge")
    done = sagas.kubectl.run(
        *("-n", sagas.namespace), *arguments, "-p", '{"status":{"createdAt":1}}'
    )
    return str(done.stderr)


def events(sagas: Sagas, reason: str) -> str:
    return sagas.kubectl(
        *("-n", sagas.namespace, "get", "events", "--field-selector", f"reason={reason}"),
        *("-o", "jsonpath={range .items[*]}{.involvedObject.name}: {.message}{'\\n'}{end}"),
    )


def test_a_status_that_a_policy_refuses_is_saved_once_it_allows_that(
    sagas: Sagas,
    controllers: Controllers,
    notes: Notes,
    frozen: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    controllers.leader()
    sagas.create(workflow(notes.step("a")))
    told = until(lambda: events(sagas, "SaveRefused") or None, "an Event tells of the refusal")
    refuser = f"ValidatingAdmissionPolicy '{frozen}'"
    assert refuser in told
    assert SENTENCE in told
    said = sagas.kubectl("wf", "explain", "order", "-n", sagas.namespace)
    assert refuser in said
    assert "auth can-i" not in said
    assert "no engine runs it" not in said
    assert "goes on with what is in its namespaces" in said
    assert notes.lines() == []
    sagas.kubectl("delete", "validatingadmissionpolicybinding", frozen)
    await_phase(sagas, "Success")
    assert notes.lines() == ["run-a"]
    assert frozen not in sagas.kubectl("wf", "explain", "order", "-n", sagas.namespace)


def test_e6_a_run_that_a_policy_refuses_is_said_on_its_schedule_and_started_once_it_is_allowed(
    sagas: Sagas, controllers: Controllers, closed: str
) -> None:
    """By 422, as a policy does where it names no other code."""
    controllers.leader()
    sagas.create(cron(step("a"), startingDeadlineSeconds=3600))

    def status() -> Json:
        found: Json = sagas.cron()["status"]
        return found

    until(lambda: status().get("reason") == "Refused" or None, "the schedule says so")
    refused = status()
    assert "and tried again" in refused["message"]
    assert f"ValidatingAdmissionPolicy '{closed}'" in refused["message"]
    assert SENTENCE in refused["message"]
    assert refused.get("lastScheduleTime") is None
    assert refused.get("missed", 0) == 0
    sagas.kubectl("delete", "validatingadmissionpolicybinding", closed)
    until(lambda: status().get("lastScheduleTime"), "a run is started")
    assert sagas.names()


@pytest.mark.parametrize(
    ("then", "phase", "condition"),
    [("", "Success", "Ready"), ("exit 1", "RollBacked", "Stalled")],
)
def test_kubectl_waits_for_each_end(
    sagas: Sagas, controllers: Controllers, notes: Notes, then: str, phase: str, condition: str
) -> None:
    controllers.leader()
    sagas.create(workflow(notes.step("a"), notes.step("b", "a", then=then)))
    wait = ("-n", sagas.namespace, "wait", "saga", "order", "--timeout=120s")
    assert "met" in sagas.kubectl(*wait, f"--for=condition={condition}")
    assert "met" in sagas.kubectl(*wait, f"--for=jsonpath={{.status.phase}}={phase}")
    assert "met" in sagas.kubectl(*wait, "--for=condition=Reconciling=false")
    wide = sagas.kubectl("-n", sagas.namespace, "get", "saga", "order", "-o", "wide")
    rolled_back = until(lambda: events(sagas, "RollBacked") or None, "an Event") if then else ""
    assert ("step 'b'" in wide, "step 'b'" in rolled_back) == (bool(then), bool(then))


def test_kubectl_lists_what_is_stuck_and_why(
    sagas: Sagas,
    controllers: Controllers,
    notes: Notes,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    controllers.leader()
    held = notes.step("a")
    held["stepTemplate"]["parameters"]["rollback"] = "echo the bank is closed >&2; exit 1"
    sagas.create(workflow(held, notes.step("b", "a", then="exit 1"), name="held"))
    unknown = notes.step("b")
    unknown["stepTemplate"]["type"] = "comand"
    sagas.create(workflow(unknown, name="unknown"))
    sagas.create(workflow(notes.step("b", then="exit 1"), name="undone"))
    sagas.create(workflow(notes.step("fine"), name="fine"))
    ends = {"held": "Failed", "unknown": "Failed", "undone": "RollBacked", "fine": "Success"}
    for name, phase in ends.items():
        await_phase(sagas, phase, name)
    wide = sagas.kubectl("get", "saga", "-A", "-o", "wide")
    whys = {"held": "RollbackFailed: ", "unknown": "InvalidSpec: ", "undone": "RollBacked: "}
    for name, why in whys.items():
        (line,) = [
            line for line in wide.splitlines() if line.split()[:2] == [sagas.namespace, name]
        ]
        assert why in line
    listed = sagas.kubectl("wf", "list", "-n", sagas.namespace)
    stuck = sagas.kubectl("wf", "list", "-n", sagas.namespace, "--stuck")
    assert "the bank is closed" in listed
    assert "the bank is closed" in stuck
    assert "comand" in stuck
    assert not {"undone", "fine"} & {
        line.split()[0].rpartition("/")[2] for line in stuck.splitlines()
    }
    undone = sagas.kubectl("wf", "explain", "undone", "-n", sagas.namespace)
    assert "rolled back, because" in undone
    assert "'comand'" in sagas.kubectl("wf", "explain", "unknown", "-n", sagas.namespace)
