"""B3: what the keys of a command stand for, and undos that undo nothing."""

from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.command.command_calls import Bench

from wf_command.kind import Command
from wf_core.model.phases import Hook
from wf_core.plugins import Registry

KIND = Command()


def advice(**given: Any) -> list[str]:
    """What `wf validate` says beside faults."""
    parameters = {"run": "touch x", **given}
    return Registry.of([KIND]).kind("command").advice(parameters, undoable=True)


def test_b3_an_undo_finds_what_its_run_made_by_the_same_key(bench: Bench, tmp_path: Path) -> None:
    commands: dict[str, Any] = {"run": '> "stock/$WF_KEY"', "rollback": 'rm -f "stock/$WF_KEY"'}
    (tmp_path / "stock").mkdir()
    for hook, perform in ((Hook.RUN, KIND.run), (Hook.ROLLBACK, KIND.rollback)):
        call = bench.call(hook, **commands)
        perform(attrs.evolve(call, workflow_folder=tmp_path))
        assert len(list((tmp_path / "stock").iterdir())) == (hook is Hook.RUN)


class Bank:
    """Remembers its answers by the key that it is sent, as payment services do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        script = folder / "bank.sh"
        script.write_text(
            f'#!/bin/sh\ncd "{folder}" || exit 1\n'
            '[ -e "$1" ] || echo "$2" | tee -a book > "$1"\ncat "$1"\n'
        )
        script.chmod(0o755)
        self.script = script

    @property
    def book(self) -> list[str]:
        return (self.folder / "book").read_text().split()


def test_b3_a_refund_is_not_answered_by_the_charge(bench: Bench, tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    commands: dict[str, Any] = {
        "run": f'{bank.script} "$WF_CALL_KEY" charged',
        "rollback": f'{bank.script} "$WF_CALL_KEY" refunded',
    }
    for _ in range(2):  # called again, each is answered as the first time
        KIND.run(bench.call(Hook.RUN, **commands))
    for _ in range(2):
        KIND.rollback(bench.call(Hook.ROLLBACK, **commands))
    assert bank.book == ["charged", "refunded"]


@pytest.mark.parametrize(
    "rollback", ["true", ":", " true ; ", "# by hand", ["true"], ["/bin/true"], "exit 0"]
)
def test_b3_an_undo_that_does_nothing_is_pointed_out(rollback: Any) -> None:
    (said,) = advice(rollback=rollback)
    assert said.startswith("rollback does nothing")


def test_b3_an_undo_that_reads_a_name_it_is_not_told_is_pointed_out() -> None:
    (said,) = advice(rollback="rm -f ${WF_ATTR_FILE}")
    assert said.startswith("rollback reads $WF_ATTR_FILE, which no command is told")
    assert advice(rollback=["sh", "-c", "rm $WF_RUNKEY"]) != []


@pytest.mark.parametrize(
    "rollback", ["rm -f $WF_KEY", "WF_MINE=1; rm $WF_MINE", "truely", ["rm", "true"], None]
)
def test_b3_other_undos_are_not_spoken_of(rollback: Any) -> None:
    assert advice(rollback=rollback) == []
