"""`wf cron`: schedules, when they are due, and their runs."""

import datetime
from itertools import islice
from pathlib import Path

import click

from wf_core.cli.delete import delete_one
from wf_core.cli.documents import read_any, require_name
from wf_core.cli.output import Format, output_option, print_table, show
from wf_core.cli.schedules import as_they_are, ask_schedules, load_schedule, schedules_of
from wf_core.cli.settings import Settings, key_of, wf
from wf_core.cli.stores import ask_store, now
from wf_core.cli.text import duration, one_line, plural
from wf_core.cli.verb import verb
from wf_core.errors import AuthorError, WorkflowNotFound
from wf_core.model.phases import FINISHED
from wf_core.model.schedule import CronStatus, CronWorkflow, ScheduledRun, StoredSchedule
from wf_core.model.spec import Key
from wf_core.ports import Store
from wf_core.schedules.runs import run_key, triggered_run
from wf_core.schedules.timetable import BadScheduleError, Timetable, timetable

MOST_SHOWN = 1_000
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@click.group("cron")
def cron_command() -> None:
    """Schedules: workflows that are started by the clock.

    `wf submit FILE` stores one, and `wf serve` (or a controller) starts what is due.
    """


@verb("list", examples="wf cron list")
@output_option()
@click.pass_obj
def list_command(settings: Settings, output: Format) -> None:
    """List schedules."""
    from wf_core.codec import stored_schedule_document

    async def find(store: Store) -> list[StoredSchedule]:
        found = await schedules_of(store, settings).list()
        wanted = settings.namespace
        return [
            await as_they_are(store, each)
            for each in found
            if wanted in (None, each.schedule.metadata.namespace)
        ]

    found = ask_store(settings, find)
    at = now()

    def table() -> None:
        if not found:
            click.echo("no schedules; `wf submit FILE` stores one", err=True)
            return
        print_table(
            ("NAME", "SCHEDULE", "ZONE", "SUSPEND", "ACTIVE", "LAST", "NEXT", "REMARK"),
            [_row(each, at) for each in found],
        )

    show(
        output,
        lambda: {"items": [stored_schedule_document(each) for each in found]},
        lambda: [str(key_of(each.schedule)) for each in found],
        table,
    )


def _row(stored: StoredSchedule, at: float) -> tuple[str, ...]:
    spec, status = stored.schedule.spec, stored.status
    last, following = status.last_schedule_time, status.next_schedule_time
    return (
        str(key_of(stored.schedule)),
        spec.schedule,
        spec.time_zone,
        str(spec.suspend).lower(),
        str(sum(run.phase not in FINISHED for run in status.active)),
        "" if last is None else f"{duration(at - last)} ago",
        "" if following is None else _following(following, at),
        status.reason,
    )


def _following(due: float, at: float) -> str:
    return f"in {duration(due - at)}" if due > at else f"due for {duration(at - due)}"


@verb(
    "get",
    examples="""
    wf cron get nightly
    wf cron get nightly -o yaml""",
)
@click.argument("name")
@output_option()
@click.pass_obj
def get_command(settings: Settings, name: str, output: Format) -> None:
    """Show a schedule and its runs.

    `-o yaml` and `-o json` show the whole document with its status.
    """
    from wf_core.codec import stored_schedule_document

    async def find(store: Store) -> StoredSchedule:
        loaded = await schedules_of(store, settings).load(settings.key(name))
        return await as_they_are(store, loaded)

    stored = ask_store(settings, find)
    show(
        output,
        lambda: stored_schedule_document(stored),
        lambda: [str(key_of(stored.schedule))],
        lambda: _print(stored),
    )


def _print(stored: StoredSchedule) -> None:
    spec, status = stored.schedule.spec, stored.status
    for label, value in (
        ("Name", str(key_of(stored.schedule))),
        ("Schedule", f"{spec.schedule}, {spec.time_zone}"),
        ("Suspended", "yes" if spec.suspend else ""),
        ("Concurrency", spec.concurrency_policy),
        ("Last", _both(spec.time_zone, status.last_schedule_time)),
        ("Succeeded", _both(spec.time_zone, status.last_successful_time)),
        ("Next", _both(spec.time_zone, status.next_schedule_time)),
        ("Missed", plural(status.missed, "slot") if status.missed else ""),
        ("Skipped", plural(status.skipped, "slot") if status.skipped else ""),
        ("Remark", one_line(_remark(status))),
    ):
        if value:
            click.echo(f"{label + ':':<13}{value}")
    runs = (*status.active, *reversed(status.finished))
    if runs:
        click.echo()
        print_table(("RUN", "SLOT", "PHASE"), [_run(run, spec.time_zone) for run in runs])


def _remark(status: CronStatus) -> str:
    if not status.message:
        return status.reason
    return f"{status.message} ({status.reason})" if status.reason else status.message


def _run(run: ScheduledRun, zone: str) -> tuple[str, ...]:
    return run.name, _shown(zone, run.scheduled_time), run.phase


@verb(
    "next",
    examples="""
    wf cron next nightly.yaml
    wf cron next nightly -n 20""",
)
@click.argument("schedule", metavar="NAME|FILE")
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, MOST_SHOWN),
    default=5,
    show_default=True,
    help="How many.",
)
@output_option()
@click.pass_obj
def next_command(settings: Settings, schedule: str, count: int, output: Format) -> None:
    """Show when a schedule is due next.

    In its own time zone and in UTC. A FILE needs not be stored.
    """
    found = _named_or_read(settings, schedule)
    zone = found.spec.time_zone
    slots = list(islice(_table(found).slots(now()), count))
    show(
        output,
        lambda: {
            "timeZone": zone,
            "items": [{"local": _shown(zone, each), "utc": _shown("UTC", each)} for each in slots],
        },
        lambda: [_shown(zone, each) for each in slots],
        lambda: print_table(
            (zone, "UTC"), [(_shown(zone, each), _shown("UTC", each)) for each in slots]
        ),
    )


def _named_or_read(settings: Settings, named: str) -> CronWorkflow:
    if named != "-" and not _is_file(named):
        return load_schedule(settings, named).schedule
    document = read_any(named, {}, settings)
    if not isinstance(document, CronWorkflow):
        raise AuthorError(f"{named} is a Workflow, which is due at no time")
    return document


def _is_file(named: str) -> bool:
    try:
        return Path(named).is_file()
    except OSError:  # longer than any file's name
        return False


def _table(schedule: CronWorkflow) -> Timetable:
    try:
        return timetable(schedule.spec.schedule, schedule.spec.time_zone)
    except BadScheduleError as error:
        raise AuthorError(f"schedule '{key_of(schedule)}': {error}") from None


@verb(
    "trigger",
    examples="""
    wf cron trigger nightly
    wf cron trigger nightly --name nightly-by-hand""",
)
@click.argument("name")
@click.option("--name", "new_name", metavar="NEW", help="The name of the run.")
@output_option(Format.TABLE, Format.NAME)
@click.pass_obj
def trigger_command(settings: Settings, name: str, new_name: str | None, output: Format) -> None:
    """Run the workflow of a schedule now.

    The schedule goes on as if this run was not there: it stands in no slot's way, and is neither
    counted nor removed by the history limits.
    """

    if new_name is not None:
        require_name("--name", new_name)

    async def trigger(store: Store) -> Key:
        stored = await schedules_of(store, settings).load(settings.key(name))
        at = now()
        run_name = new_name or f"{stored.schedule.metadata.name}-{_counted(at)}"
        made = await store.create(triggered_run(stored.schedule, run_name), at, stored.folder)
        return key_of(made.workflow)

    key = ask_store(settings, trigger)
    if output is Format.NAME:
        click.echo(key)
    else:
        click.echo(f"submitted {key}; {wf('serve')} runs it, {wf(f'watch {key}')} shows it")


def _counted(at: float) -> str:
    """Milliseconds since 1970 in letters and digits: eight of them, which no slot's number is."""
    left, found = int(at * 1000), ""
    while left:
        left, digit = divmod(left, len(_DIGITS))
        found = _DIGITS[digit] + found
    return found


@verb("suspend", examples="wf cron suspend nightly")
@click.argument("name")
@click.pass_obj
def suspend_command(settings: Settings, name: str) -> None:
    """Start nothing until `wf cron continue`.

    What runs goes on.
    """
    key = settings.key(name)
    ask_schedules(settings, lambda schedules: schedules.suspend(key, True))
    click.echo(f"{key} is suspended; {wf(f'cron continue {key}')} goes on")


@verb("continue", examples="wf cron continue nightly")
@click.argument("name")
@click.pass_obj
def continue_command(settings: Settings, name: str) -> None:
    """End a suspension.

    The last slot that passed meanwhile is started now, unless its startingDeadlineSeconds are over.
    """
    key = settings.key(name)
    ask_schedules(settings, lambda schedules: schedules.suspend(key, False))
    click.echo(f"{key} goes on")


@verb("delete", examples="wf cron delete nightly")
@click.argument("name")
@click.option("--keep-runs", is_flag=True, help="Leave its runs as they are.")
@click.pass_obj
def delete_command(settings: Settings, name: str, keep_runs: bool) -> None:
    """Delete a schedule and its runs.

    A run that is unfinished is cancelled and undone before it goes, as with `wf delete`.
    """

    async def delete(store: Store) -> list[str]:
        schedules = schedules_of(store, settings)
        gone = await schedules.remove(settings.key(name), keep_runs=keep_runs)
        said = [f"{key_of(gone.schedule)} is deleted"]
        if keep_runs or schedules.runs_go_along:
            return said
        for run in (*gone.status.finished, *gone.status.active):
            try:
                said.append(await delete_one(store, run_key(gone.schedule, run.name)))
            except WorkflowNotFound:
                continue  # somebody else was faster
        return said

    for sentence in ask_store(settings, delete):
        click.echo(sentence)


def _both(zone: str, at: float | None) -> str:
    if at is None:
        return ""
    there, utc = _shown(zone, at), _shown("UTC", at)
    return utc if there == utc else f"{there} ({utc})"


def _shown(zone: str, at: float) -> str:
    """The time there, with its distance from UTC."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        there = ZoneInfo("UTC")  # a schedule with a wrong zone is shown too, with what is wrong
    text = datetime.datetime.fromtimestamp(at, there).isoformat()
    return text.replace("+00:00", "Z") if there.key == "UTC" else text


for _command in (
    *(list_command, get_command, next_command, trigger_command),
    *(suspend_command, continue_command, delete_command),
):
    cron_command.add_command(_command)
