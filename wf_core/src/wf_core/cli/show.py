"""`wf list` and `wf get`: what is in the store."""

from collections.abc import Sequence
from typing import Any

import click

from wf_core.cli import outcome
from wf_core.cli.output import Format, output_option, print_table, show
from wf_core.cli.settings import Settings, key_of
from wf_core.cli.steps import elapsed, note
from wf_core.cli.stores import all_rows, ask_store, load_one, now, stuck_rows
from wf_core.cli.text import duration, one_line, shortened, stamp, zoned
from wf_core.cli.verb import verb
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Row, Store

MOST_WHY = 100
"""Letters of an error in a list; `wf get` shows all of it."""


@verb(
    "list",
    examples="""
    wf list
    wf list --phase Running --phase RollingBack
    wf list --queue night -o name
    wf list --stuck""",
)
@click.option(
    "--phase",
    "phases",
    multiple=True,
    type=click.Choice([phase.value for phase in Phase], case_sensitive=False),
    help="Only workflows in this phase. May be repeated.",
)
@click.option("--queue", help="Only workflows of this queue.")
@click.option(
    "--stuck",
    "only_stuck",
    is_flag=True,
    help="Only workflows that go no further without a person; REMARK says why.",
)
@output_option()
@click.pass_obj
def list_command(
    settings: Settings, phases: Sequence[str], queue: str | None, only_stuck: bool, output: Format
) -> None:
    """List workflows, the oldest first."""

    async def find(store: Store) -> list[Row]:
        wanted = [Phase(phase) for phase in phases] or None
        rows = await all_rows(store, phases=wanted, queue=queue)
        shown = [row for row in rows if settings.namespace in (None, row.key.namespace)]
        return await stuck_rows(store, shown) if only_stuck else shown

    rows = ask_store(settings, find)
    at = now()

    def table() -> None:
        if not rows:
            none = "no workflow is stuck" if only_stuck else "no workflows; `wf run FILE` runs one"
            click.echo(none, err=True)
            return
        print_table(
            ("NAME", "PHASE", "DONE", "QUEUE", "AGE", "REMARK"),
            [
                (
                    str(row.key),
                    row.phase,
                    f"{row.done}/{row.total}",
                    row.queue,
                    duration(at - row.created_at),
                    _remark(row),
                )
                for row in rows
            ],
        )

    show(
        output,
        lambda: {"items": [_row(row) for row in rows]},
        lambda: [str(row.key) for row in rows],
        table,
    )


def _remark(row: Row) -> str:
    words = []
    if row.deleting:
        words.append("to be deleted")
    if row.suspended:
        words.append("suspended")
    elif row.stuck:
        words.append(one_line(row.stuck))
    elif row.parked and row.phase is Phase.RUNNING:
        words.append("waits for a person")
    if row.unreadable:
        words.append(shortened(one_line(f"can't be read: {row.unreadable}"), MOST_WHY))
    elif row.why:
        words.append(shortened(one_line(row.why), MOST_WHY))
    return "; ".join(words)


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.key.name,
        "namespace": row.key.namespace,
        "uid": row.uid,
        "phase": row.phase.value,
        "done": row.done,
        "total": row.total,
        "queue": row.queue,
        "priority": row.priority,
        "createdAt": zoned(row.created_at),
        "suspended": row.suspended,
        "stuck": row.stuck,
        "deleting": row.deleting,
        "why": row.unreadable or row.why,
    }


@verb(
    "get",
    examples="""
    wf get order-17
    wf get order-17 -o yaml""",
)
@click.argument("name")
@output_option()
@click.pass_obj
def get_command(settings: Settings, name: str, output: Format) -> None:
    """Show a workflow and each of its steps.

    `-o yaml` and `-o json` show the whole document with its status.
    """
    from wf_core.codec import stored_document

    stored = load_one(settings, name)
    show(
        output,
        lambda: stored_document(stored),
        lambda: [str(key_of(stored.workflow))],
        lambda: _print(stored, now()),
    )


def _print(stored: Stored, at: float) -> None:
    head, spec, key = stored.head, stored.workflow.spec, key_of(stored.workflow)
    began = head.reached.get(Phase.RUNNING)
    ended = head.reached.get(head.phase, at) if head.phase in FINISHED else at
    for label, value in (
        ("Name", str(key)),
        ("Phase", _phase(stored)),
        ("Queue", spec.queue if spec.priority == 0 else f"{spec.queue}, priority {spec.priority}"),
        ("Created", stamp(head.created_at)),
        ("Took" if head.phase in FINISHED else "Running for", _took(began, ended)),
        ("Cause", one_line(head.cause)),
        ("Error", one_line(head.error or "")),
        ("Deletion", "asked for" if head.deletion_asked_at is not None else ""),
        *((each.type, one_line(each.message)) for each in head.conditions),
    ):
        if value:
            click.echo(f"{label + ':':<13}{value}")
    click.echo()
    print_table(
        ("STEP", "KIND", "PHASE", "TIME", "REMARK"),
        [
            (
                step_spec.name,
                step_spec.step_template.type,
                step.phase,
                _time(elapsed(step, at)),
                note(step_spec, step, at),
            )
            for step_spec, step in zip(spec.steps, stored.steps, strict=True)
        ],
    )
    for line in _help(key, stored):
        click.echo(line)


def _phase(stored: Stored) -> str:
    head = stored.head
    words = [str(head.phase)]
    if head.suspended:
        words.append("suspended")
    if head.committed:
        words.append("past its pivot")
    return ", ".join(words)


def _took(began: float | None, ended: float) -> str:
    return "" if began is None else duration(ended - began)


def _time(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _help(key: Key, stored: Stored) -> list[str]:
    """For each step that waits for a person, the commands that help."""
    found = []
    for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True):
        if step.blocked is not None:
            helping = outcome.commands(key, spec.name, step.blocked.options)
            found.append(f"{spec.name} waits for a person: " + ", ".join(helping))
    return ["", *found] if found else []
