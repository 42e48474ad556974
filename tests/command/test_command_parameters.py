"""Faults of a document that are found before anything runs."""

from typing import Any

import pytest

from wf_command.kind import Command
from wf_command.parameters import CommandParameters
from wf_command.plugin import wf_step_kinds

KIND = Command()


def found(undoable: bool = False, **parameters: Any) -> list[str]:
    """The faults of a `command` step."""
    given = CommandParameters(**{"run": ["true"], **parameters})
    return list(KIND.faults(given, undoable=undoable))


def test_the_plugin_brings_the_kind_command() -> None:
    assert [type(kind) for kind in wf_step_kinds()] == [Command]


def test_a_step_that_must_be_undone_needs_a_rollback() -> None:
    sentence = "rollback: give the command that undoes `run`, or say `rollback: None` on the step"
    assert found(undoable=True) == [sentence]
    assert found(undoable=True, rollback="true") == []
    assert found(undoable=False) == []


@pytest.mark.parametrize(
    ("parameters", "start"),
    [
        ({"run": []}, "run: is empty"),
        ({"run": [""]}, "run: is empty"),
        ({"check": "  "}, "check: is empty"),
        ({"rollback": ""}, "rollback: is empty"),
        ({"env": {"a-b": "x"}}, "env: 'a-b' is no name of a variable"),
        ({"env": {"WF_KEY": "x"}}, "env: 'WF_KEY' is taken"),
        ({"timeout": 0}, "timeout: give seconds, more than 0, not 0"),
        ({"timeout": float("nan")}, "timeout: give seconds"),
        ({"grace": -1}, "grace: give seconds, 0 or more, not -1"),
        ({"grace": float("inf")}, "grace: give seconds"),
        ({"output_limit": -1}, "outputLimit: give bytes, 0 or more, not -1"),
        ({"fatal_exit_codes": [0]}, "fatalExitCodes: 0 can't be fatal"),
        ({"fatal_exit_codes": [256]}, "fatalExitCodes: 256 can't be fatal"),
        ({"fatal_exit_codes": [75]}, "fatalExitCodes: 75 can't be fatal"),
    ],
)
def test_each_fault_names_its_key(parameters: dict[str, Any], start: str) -> None:
    (fault,) = found(**parameters)
    assert fault.startswith(start)


def test_a_fault_of_env_does_not_show_the_value() -> None:
    assert "hunter2" not in "".join(found(env={"a b": "hunter2", "WF_X": "hunter2"}))


def test_every_parameter_is_described() -> None:
    fields = CommandParameters.__attrs_attrs__
    assert [field.name for field in fields if not field.metadata.get("description")] == []
