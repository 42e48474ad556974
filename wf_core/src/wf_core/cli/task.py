"""`wf task run`: a single step, from the command line alone."""

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from wf_core.cli import documents
from wf_core.cli.durations import Duration
from wf_core.cli.exits import leave
from wf_core.cli.output import Format, output_option
from wf_core.cli.registry import installed, warn_of_problems
from wf_core.cli.run import drive
from wf_core.cli.settings import Settings
from wf_core.cli.stores import now
from wf_core.cli.verb import verb
from wf_core.errors import DocumentInvalid
from wf_core.model.phases import RollbackMode
from wf_core.model.spec import Json, Key, Metadata, RetryPolicy
from wf_core.model.task import Task, TaskSpec, as_workflow

if TYPE_CHECKING:
    from wf_core.engine.engine import Engine

MAX_KIND = 50
"""Characters of a kind that go into a name made up from it."""

_DEFAULTS = RetryPolicy()


@click.group("task", epilog="`wf run FILE` runs one that is written as a document of kind Task.")
def task_command() -> None:
    """Run a single step, without a document."""


@verb(
    "run",
    examples="""
    wf task run random --param sleepSeconds=2
    wf task run command -p run="touch x" -p rollback="rm x" --retry-limit 0 --timeout 30s
    wf task run random --name nightly --no-rollback -o json""",
)
@click.argument("kind", metavar="KIND")
@documents.kind_param_option
@click.option("--name", metavar="NAME", help="Its name; by default one is made up from the kind.")
@click.option("--queue", default="default", show_default=True, help="Its queue.")
@click.option(
    "--retry-limit",
    type=click.IntRange(-1),
    default=_DEFAULTS.run_retry_limit,
    show_default=True,
    help="Retries of its run, and of its undo: 0 none, -1 no limit.",
)
@click.option(
    "--retry-period",
    type=Duration(),
    metavar="TIME",
    default=_DEFAULTS.run_retry_period_seconds,
    show_default="60s",
    help="Time before a retry.",
)
@click.option("--timeout", type=Duration(), metavar="TIME", help="The most an attempt may take.")
@click.option("--no-rollback", is_flag=True, help="It can't be undone, and is passed over.")
@documents.replace_option
@output_option()
@click.pass_obj
def run_task_command(
    settings: Settings,
    kind: str,
    params: Mapping[str, Json],
    name: str | None,
    queue: str,
    retry_limit: int,
    retry_period: float,
    timeout: float | None,
    no_rollback: bool,
    replace: bool,
    output: Format,
) -> None:
    """Run a step of a kind here and now, and show it live.

    It is stored as a workflow of one step, named `task`, and lives like any other: after a crash
    `wf resume` goes on. Times are seconds, or such as 1h30m. The exit codes are those of `wf run`.

    `wf kinds show KIND` shows the parameters.
    """
    warn_of_problems()
    installed().kind(kind)  # says what is near, before anything is said of its parameters
    task = Task(
        Metadata(name or _made_up(kind), settings.namespace or "default"),
        TaskSpec(
            kind,
            dict(params),
            RetryPolicy(
                run_retry_limit=retry_limit,
                run_retry_period_seconds=retry_period,
                rollback_retry_limit=retry_limit,
                rollback_retry_period_seconds=retry_period,
            ),
            timeout_seconds=timeout,
            rollback=RollbackMode.NONE if no_rollback else RollbackMode.REQUIRED,
            queue=queue,
        ),
    )
    _check(task)
    made = [as_workflow(task)]
    documents.require_here(made)

    async def start(engine: "Engine") -> Sequence[Key]:
        return await documents.create_all(engine.store, made, replacing=replace, now=now())

    leave(asyncio.run(drive(settings, start, output)))


def _check(task: Task) -> None:
    """Raises DocumentInvalid with everything that is wrong with it."""
    from wf_core.codec import task_faults

    found = task_faults(task, installed())
    if found:
        raise DocumentInvalid(found, f"task {task.metadata.name}")


def _made_up(kind: str) -> str:
    """A name that nothing else has: of the kind, and of chance."""
    plain = re.sub("[^a-z0-9]+", "-", kind.lower())[:MAX_KIND].strip("-")
    return f"{plain or 'task'}-{os.urandom(4).hex()}"


task_command.add_command(run_task_command)
