"""What a command finds: its variables and its input, and that secrets stay where they are."""

import json
import os
import stat
from pathlib import Path

import attrs
import pytest
from tests.command.command_calls import UID, Bench

from wf_command.kind import Command
from wf_command.surroundings import TOLD
from wf_core.kinds import Previous, Retryable
from wf_core.model.phases import Ended, Hook
from wf_core.model.state import Resource

KIND = Command()


def variables(bench: Bench) -> dict[str, str]:
    """What `env -0` printed."""
    entries = bench.output("stdout").split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def test_b3_variables_are_exactly_these(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("WF_STEP", "of an engine around this one")
    monkeypatch.setenv("began", "a name that the launcher uses")
    call = bench.call(
        Hook.ROLLBACK,
        rollback=["env", "-0"],
        attempt=2,
        previous=Previous(outcome=Ended.FAILED),
        env={"REGION": "eu", "EMPTY": ""},
    )
    KIND.rollback(call)
    folder = bench.folder / "call"
    found = variables(bench)
    for set_by_the_shell in ("PWD", "OLDPWD", "SHLVL", "_"):
        found.pop(set_by_the_shell, None)
    assert {name for name in found if name.startswith("WF_")} == TOLD
    assert found == {
        "PATH": os.defpath,
        "began": "a name that the launcher uses",
        "REGION": "eu",
        "EMPTY": "",
        "WF_KEY": f"{UID}-pay-run",
        "WF_CALL_KEY": f"{UID}-pay-rollback",
        "WF_RUN_KEY": f"{UID}-pay-run",
        "WF_ATTEMPT": "2",
        "WF_ATTEMPT_KEY": f"{UID}-pay-rollback/2",
        "WF_STEP": "pay",
        "WF_WORKFLOW": "order",
        "WF_NAMESPACE": "default",
        "WF_UID": UID,
        "WF_HOOK": "rollback",
        "WF_EPOCH": "7",
        "WF_PREVIOUS": "Failed",
        "WF_INPUT": str(folder / "input.json"),
        "WF_ATTRIBUTES": str(folder / "attributes.json"),
        "WF_RESOURCE": str(folder / "resource.json"),
    }


def test_the_trace_goes_on_in_variables(bench: Bench) -> None:
    trace = {"traceparent": "00-1-2-01", "tracestate": "a=b"}
    KIND.run(attrs.evolve(bench.call(run=["env", "-0"]), find_trace=lambda: trace))
    found = variables(bench)
    assert (found["TRACEPARENT"], found["TRACESTATE"]) == ("00-1-2-01", "a=b")


def test_b5_the_input_holds_ancestors_parameters_and_what_the_step_left(bench: Bench) -> None:
    bench.ancestors = ({"ip": "10.0.0.7"}, {"net": Resource(status="up", id="n1")})
    previous = Previous(Ended.SUCCEEDED, Resource(id="vm-7"), {"port": 80})
    KIND.rollback(bench.call(Hook.ROLLBACK, rollback='cat "$WF_INPUT"', previous=previous))

    def document(**given: str) -> dict[str, object]:
        return {"status": "", "id": "", "name": "", "address": "", "attributes": {}, **given}

    assert json.loads(bench.output("stdout")) == {
        "attributes": {"ip": "10.0.0.7"},
        "resources": {"net": document(status="up", id="n1")},
        "parameters": {"size": 3},
        "previous": {
            "outcome": "Succeeded",
            "resource": document(id="vm-7"),
            "attributes": {"port": 80},
        },
    }


def test_the_input_is_for_its_owner_alone_and_goes_with_the_call(bench: Bench) -> None:
    KIND.run(bench.call(run='stat -c %a "$(dirname "$WF_INPUT")"'))
    assert bench.output("stdout") == "700"
    assert not (bench.folder / "call").exists()
    lock = (bench.folder / "command.lock").stat()
    assert stat.S_IMODE(lock.st_mode) == 0o600


def test_cwd_is_where_the_command_runs(bench: Bench, tmp_path: Path) -> None:
    KIND.run(bench.call(run=["pwd"], cwd=str(tmp_path)))
    assert bench.output("stdout") == str(tmp_path.resolve())


def test_values_of_env_stay_out_of_errors_and_of_the_shown_parameters(bench: Bench) -> None:
    secret = "correct-horse-battery"  # no real one
    call = bench.call(
        run='echo "login $TOKEN refused" >&2; exit 1', env={"TOKEN": secret, "MODE": "1"}
    )
    with pytest.raises(Retryable) as failure:
        KIND.run(call)
    assert str(failure.value) == "run: exited with code 1: login *** refused"
    assert secret not in repr(call.parameters)


def test_a_value_of_env_that_nobody_can_pass_is_not_shown(bench: Bench) -> None:
    with pytest.raises(Exception, match="`env`, holds a character") as failure:
        KIND.run(bench.call(env={"TOKEN": "correct\0horse"}))
    assert "horse" not in "".join(map(str, (failure.value, failure.value.__cause__)))
    cause = failure.value.__cause__
    assert cause is not None
    assert cause.__cause__ is None
    assert cause.__suppress_context__
