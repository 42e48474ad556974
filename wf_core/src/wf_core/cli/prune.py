"""`wf prune`: finished workflows go by age, and nothing is undone."""

from collections.abc import Sequence
from typing import Any

import attrs
import click

from wf_core.cli.durations import Duration
from wf_core.cli.output import Format, output_option, print_table, show
from wf_core.cli.run import configuration
from wf_core.cli.settings import Settings
from wf_core.cli.stores import all_rows, ask_store, now
from wf_core.cli.text import duration, plural, zoned
from wf_core.cli.verb import verb
from wf_core.errors import WfError, WorkflowNotFound
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.state import Stored
from wf_core.ports import Row, Store
from wf_core.retention import Retention, owed_by, owed_by_row
from wf_core.saga.plan import effects_left


@attrs.frozen
class Pruned:
    """One that is over age: removed (or it would be), unless `why` says what keeps it."""

    row: Row
    why: str | None = None


@attrs.frozen
class Choice:
    """Which workflows, and how long ago (seconds) they must have ended; `older_than` None goes by
    what they, their queues and the configuration say."""

    retention: Retention
    namespace: str | None
    phases: tuple[Phase, ...]
    queue: str | None
    older_than: float | None

    async def rows(self, store: Store, at: float) -> list[Row]:
        """Those over age at a time."""
        phases = self.phases or tuple(sorted(FINISHED))
        rows = await all_rows(store, phases=phases, queue=self.queue)
        return [
            row
            for row in rows
            if self.namespace in (None, row.key.namespace) and self._over_age(row, at)
        ]

    def _over_age(self, row: Row, at: float) -> bool:
        if self.older_than is None:
            due = self.retention.due_of_row(row)
        else:
            due = None if row.finished_at is None else row.finished_at + self.older_than
        return due is not None and due <= at

    def stands_against(self, stored: Stored, at: float) -> str | None:
        """What keeps it although it was over age in the list, as it is stored now."""
        if self.older_than is None:
            due = self.retention.due_of(stored)
            return owed_by(stored) if due is not None and due <= at else "it was changed meanwhile"
        # Whoever gave an age to what is Failed has said so; here it must be named.
        if stored.head.phase is Phase.FAILED and Phase.FAILED not in self.phases:
            left = ", ".join(effects_left(stored))
            if left:
                return f"what it did in {left} is not undone; --phase Failed removes it as it is"
        return owed_by(stored)


@verb(
    "prune",
    examples="""
    wf prune
    wf prune --older-than 7d --dry-run
    wf prune --older-than 1h --phase Success --queue night""",
)
@click.option(
    "--older-than",
    type=Duration(),
    metavar="AGE",
    help="What ended longer ago than this (7d, 1h30m, 90), whatever else says how long it is kept.",
)
@click.option(
    "--phase",
    "phases",
    multiple=True,
    type=click.Choice(sorted(phase.value for phase in FINISHED), case_sensitive=False),
    help="Only workflows in this phase. May be repeated.",
)
@click.option("--queue", help="Only workflows of this queue.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@output_option()
@click.pass_obj
def prune_command(
    settings: Settings,
    older_than: float | None,
    phases: Sequence[str],
    queue: str | None,
    dry_run: bool,
    output: Format,
) -> None:
    """Remove finished workflows that are over age.

    How long they are kept is said by their ttlSecondsAfterFinished, else by their queue's or the
    engine's in the configuration, which an engine that serves goes by too.

    Nothing is undone. What still owes a callback or the answer to a request stays, and what another
    process runs. With --older-than a Failed workflow goes only where --phase Failed says so, unless
    nothing of it is left.
    """
    retention = Retention(configuration(settings).controller_config)
    chosen = tuple(Phase(phase) for phase in phases)
    choice = Choice(retention, settings.namespace, chosen, queue, older_than)
    at = now()

    async def prune(store: Store) -> list[Pruned]:
        rows = await choice.rows(store, at)
        return [Pruned(row, await _prune(store, choice, row, at, dry_run)) for row in rows]

    pruned = ask_store(settings, prune)
    show(
        output,
        lambda: {"items": [_document(each, dry_run) for each in pruned]},
        lambda: [str(each.row.key) for each in pruned if each.why is None],
        lambda: _print(pruned, at, dry_run),
    )


async def _prune(store: Store, choice: Choice, row: Row, at: float, dry_run: bool) -> str | None:
    """Remove one; what keeps it, if anything does."""
    why = owed_by_row(row)
    if why is not None:
        return why
    try:
        stored = await store.load(row.key)
        why = choice.stands_against(stored, at)
        if why is None and not dry_run and not await store.expire(stored):
            why = "it was changed meanwhile, or something else holds it"
    except WorkflowNotFound:
        return None  # it went by itself
    except WfError as error:
        return str(error)
    return why


def _document(pruned: Pruned, dry_run: bool) -> dict[str, Any]:
    row = pruned.row
    assert row.finished_at is not None
    return {
        "name": row.key.name,
        "namespace": row.key.namespace,
        "phase": row.phase.value,
        "queue": row.queue,
        "finishedAt": zoned(row.finished_at),
        "removed": pruned.why is None and not dry_run,
        "why": pruned.why or ("dry run" if dry_run else "over age"),
    }


def _print(pruned: Sequence[Pruned], at: float, dry_run: bool) -> None:
    if not pruned:
        click.echo("nothing is over age", err=True)
        return
    gone = "would be removed" if dry_run else "removed"
    print_table(
        ("NAME", "PHASE", "ENDED", "RESULT"),
        [
            (
                str(each.row.key),
                each.row.phase,
                f"{duration(at - (each.row.finished_at or at))} ago",
                gone if each.why is None else f"stays: {each.why}",
            )
            for each in pruned
        ],
    )
    count = sum(each.why is None for each in pruned)
    click.echo(f"{plural(count, 'workflow')} {gone}, {len(pruned) - count:,} stay")
