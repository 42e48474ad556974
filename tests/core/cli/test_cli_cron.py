"""`wf cron`, and schedules where other commands meet them."""

import json
from typing import Any

import pytest
import yaml
from tests.core.cli.made import Shell

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.cli import cron
from wf_core.model.phases import Phase
from wf_core.model.schedule import CronStatus, ScheduledRun
from wf_core.model.spec import Key

NIGHTLY = """\
apiVersion: workflow.example.com/v1alpha1
kind: CronWorkflow
metadata:
  name: nightly
spec:
  schedule: "30 2 * * *"
  timeZone: Europe/Berlin
  workflowTemplate:
    metadata: {labels: {team: night}}
    spec:
      steps:
      - {name: one, stepTemplate: {type: random, parameters: {sleepSeconds: 0}}}
"""
OCTOBER = 1_792_800_000.0
"""2026-10-24T00:00:00Z, the day before clocks go back in Berlin."""


@pytest.fixture
def october(monkeypatch: pytest.MonkeyPatch) -> None:
    """What time it is for these commands."""
    monkeypatch.setattr(cron, "now", lambda: OCTOBER)


def submitted(shell: Shell) -> str:
    file = shell.file("nightly.yaml", NIGHTLY)
    result = shell.wf("submit", file)
    assert (result.code, result.err) == (0, "")
    assert result.out == "submitted nightly; `wf serve` runs it, `wf cron get nightly` shows it\n"
    return file


def test_a_schedule_is_validated_as_a_workflow_is(shell: Shell) -> None:
    result = shell.wf("validate", shell.file("nightly.yaml", NIGHTLY))
    assert (result.code, result.lines[0].endswith("nightly.yaml: valid, 1 step")) == (0, True)
    bad = shell.wf("validate", shell.file("bad.yaml", NIGHTLY.replace("30 2", "30 25")))
    assert bad.code == 2
    assert "$.spec.schedule: '30 25 * * *' is no cron expression: '25' is no hour" in bad.err


def test_running_one_says_who_runs_schedules(shell: Shell) -> None:
    result = shell.wf("run", shell.file("nightly.yaml", NIGHTLY))
    assert result.code == 2
    assert "`wf submit` stores it, and `wf serve` runs it by the clock" in result.err


def test_it_is_submitted_once_and_replaced_on_demand(shell: Shell) -> None:
    file = submitted(shell)
    assert shell.wf("submit", file).code == 0
    other = shell.file("other.yaml", NIGHTLY.replace("30 2", "45 2"))
    refused = shell.wf("submit", other)
    assert (refused.code, "--replace" in refused.err) == (2, True)
    assert shell.wf("submit", "--replace", other).code == 0
    (item,) = json.loads(shell.wf("cron", "list", "-o", "json").out)["items"]
    assert item["spec"]["schedule"] == "45 2 * * *"


def test_nothing_is_stored_where_one_of_several_is_taken(shell: Shell) -> None:
    submitted(shell)
    other = shell.file("other.yaml", NIGHTLY.replace("30 2", "45 2"))
    fresh = shell.file("fresh.yaml", NIGHTLY.replace("name: nightly", "name: fresh"))
    assert shell.wf("submit", fresh, other).code == 2
    assert shell.wf("cron", "list", "-o", "name").lines == ["nightly"]


def test_they_are_listed(shell: Shell) -> None:
    assert shell.wf("cron", "list").err == "no schedules; `wf submit FILE` stores one\n"
    submitted(shell)
    head, row = shell.wf("cron", "list").lines
    assert head.split() == [
        "NAME",
        "SCHEDULE",
        "ZONE",
        "SUSPEND",
        "ACTIVE",
        "LAST",
        "NEXT",
        "REMARK",
    ]
    assert row.split() == ["nightly", *["30", "2", "*", "*", "*", "Europe/Berlin", "false", "0"]]
    assert shell.wf("--namespace", "other", "cron", "list", "-o", "name").out == ""


@pytest.mark.usefixtures("october")
@pytest.mark.parametrize("named", ["nightly", "file"])
def test_what_is_due_next_is_told_in_its_zone_and_in_utc(shell: Shell, named: str) -> None:
    file = submitted(shell)
    result = shell.wf("cron", "next", file if named == "file" else named, "-n", "3")
    assert result.lines == [
        "Europe/Berlin              UTC",
        "2026-10-24T02:30:00+02:00  2026-10-24T00:30:00Z",
        "2026-10-25T02:30:00+02:00  2026-10-25T00:30:00Z",
        "2026-10-26T02:30:00+01:00  2026-10-26T01:30:00Z",
    ]
    shown = json.loads(shell.wf("cron", "next", file, "-n", "1", "-o", "json").out)
    assert shown["items"][0] == {
        "local": "2026-10-24T02:30:00+02:00",
        "utc": "2026-10-24T00:30:00Z",
    }


def test_a_workflow_is_due_at_no_time(shell: Shell) -> None:
    text = "apiVersion: workflow.example.com/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n"
    text += "spec: {steps: [{name: a, stepTemplate: {type: random}}]}\n"
    result = shell.wf("cron", "next", shell.file("w.yaml", text))
    assert (result.code, "due at no time" in result.err) == (2, True)


def test_a_triggered_run_is_a_workflow_with_a_name_of_its_own(shell: Shell) -> None:
    submitted(shell)
    name = shell.wf("cron", "trigger", "nightly", "-o", "name").out.strip()
    assert name.startswith("nightly-")
    metadata = shell.load(name).workflow.metadata
    assert metadata.labels == {"team": "night", "workflow.example.com/schedule": "nightly"}
    assert shell.wf("cron", "trigger", "nightly", "--name", "by-hand").code == 0
    assert shell.wf("cron", "trigger", "nightly", "--name", "by-hand").code == 2
    assert shell.load("by-hand").head.phase is Phase.PENDING


def test_it_is_suspended_and_goes_on(shell: Shell) -> None:
    submitted(shell)

    def suspended() -> Any:
        return yaml.safe_load(shell.wf("cron", "get", "nightly", "-o", "yaml").out)["spec"].get(
            "suspend", False
        )

    assert shell.wf("cron", "suspend", "nightly").code == 0
    assert suspended()
    assert shell.wf("cron", "continue", "nightly").code == 0
    assert not suspended()


@pytest.mark.parametrize(
    "command",
    [("get",), ("next",), ("trigger",), ("suspend",), ("continue",), ("delete",)],
)
def test_one_that_is_not_there_is_not_found(shell: Shell, command: tuple[str, ...]) -> None:
    result = shell.wf("cron", *command, "nothing")
    assert result.code == 2
    assert "no schedule 'nothing' in this store; `wf cron list` shows what there is" in result.err


def with_runs(shell: Shell) -> tuple[str, str]:
    """A run that is done and one that waits, as a scheduler would have left them."""
    submitted(shell)
    names = ("nightly-29880030", "nightly-29881470")
    for name in names:
        assert shell.wf("cron", "trigger", "nightly", "--name", name).code == 0

    async def save(store: SqliteStore) -> None:
        stored = await store.schedules.load(Key("default", "nightly"))
        slot = OCTOBER + 1800
        status = CronStatus(
            revision=1,
            last_schedule_time=slot,
            skipped=2,
            reason="Skipped",
            message="the slot was skipped",
            active=(ScheduledRun(names[1], slot),),
            finished=(ScheduledRun(names[0], slot - 86400, Phase.SUCCESS, slot),),
        )
        uid = stored.schedule.metadata.uid
        assert await store.schedules.save(Key("default", "nightly"), uid, status)

    shell.on_store(save)
    return names


def test_one_is_shown_with_its_runs(shell: Shell) -> None:
    done, waits = with_runs(shell)
    lines = shell.wf("cron", "get", "nightly").lines
    assert "Schedule:    30 2 * * *, Europe/Berlin" in lines
    assert "Last:        2026-10-24T02:30:00+02:00 (2026-10-24T00:30:00Z)" in lines
    assert "Skipped:     2 slots" in lines
    assert "Remark:      the slot was skipped (Skipped)" in lines
    assert [line.split() for line in lines[-3:]] == [
        ["RUN", "SLOT", "PHASE"],
        [waits, "2026-10-24T02:30:00+02:00", "Pending"],
        [done, "2026-10-23T02:30:00+02:00", "Success"],
    ]


def test_a_run_that_has_ended_is_active_for_neither_get_nor_list(shell: Shell) -> None:
    _, waits = with_runs(shell)
    assert listed(shell)["ACTIVE"] == "1"
    assert shell.wf("cancel", waits).code == 0
    assert shell.wf("resume", waits).code == 3
    assert listed(shell)["ACTIVE"] == "0"
    shown = [line.split() for line in shell.wf("cron", "get", "nightly").lines]
    assert [waits, "2026-10-24T02:30:00+02:00", "RollBacked"] in shown


def listed(shell: Shell) -> dict[str, str]:
    head, row = shell.wf("cron", "list").lines
    starts = [head.index(name) for name in head.split()]
    ends = [*starts[1:], None]
    return {head[a:b].strip(): row[a:b].strip() for a, b in zip(starts, ends, strict=True)}


def test_its_runs_are_deleted_with_it(shell: Shell) -> None:
    with_runs(shell)
    result = shell.wf("cron", "delete", "nightly")
    assert (result.code, result.lines[0]) == (0, "nightly is deleted")
    assert shell.wf("list", "-o", "name").out == ""
    assert shell.wf("cron", "list", "-o", "name").out == ""


def test_or_left_as_they_are(shell: Shell) -> None:
    names = with_runs(shell)
    assert shell.wf("cron", "delete", "--keep-runs", "nightly").code == 0
    assert set(shell.wf("list", "-o", "name").lines) == set(names)


def test_a_wrong_zone_in_the_store_is_shown_all_the_same(shell: Shell) -> None:
    with_runs(shell)

    async def spoil(store: SqliteStore) -> None:
        store.writer.connection.execute(
            "UPDATE schedules SET schedule = replace(schedule, 'Europe/Berlin', 'Mars/Base')"
        )

    shell.on_store(spoil)
    assert "2026-10-24T00:30:00Z" in shell.wf("cron", "get", "nightly").out
    result = shell.wf("cron", "next", "nightly")
    assert (result.code, "no time zone 'Mars/Base'" in result.err) == (2, True)


def test_the_schema_of_a_schedule_is_printed(shell: Shell) -> None:
    shown = json.loads(shell.wf("schema", "--kind", "CronWorkflow").out)
    assert shown["title"] == "CronWorkflow"
    assert "workflowTemplate" in shown["properties"]["spec"]["properties"]
