"""The options `--chaos` and its company on `wf run`: asking for it, and showing what came out."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from wf_core.cli.exits import ExitCode
from wf_core.cli.output import Format, show
from wf_core.cli.settings import key_of
from wf_core.cli.text import plural
from wf_core.model.spec import Json, Workflow

if TYPE_CHECKING:
    from wf_core.chaos.campaign import Ask, Report


_ERASE = "\r\033[K"


@attrs.frozen
class Replay:
    """Which run is to be seen again. The boundaries it was planned with: where steps run side by
    side, another run without faults may cross some more or less."""

    run: int
    boundaries: int | None = None


@attrs.frozen
class Options:
    """What stood on the command line. `runs` is None where no chaos is asked for."""

    runs: int | None = None
    check: str | None = None
    leaves: Path | None = None
    seed: int | None = None
    only: Replay | None = None


class ReplayType(click.ParamType[Replay]):
    """`I`, or `I/B` where the crashes were drawn from B boundaries."""

    name = "I/B"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Replay:
        """Raises click.BadParameter."""
        if isinstance(value, Replay):
            return value
        parts = str(value).split("/")
        if len(parts) > 2 or not all(part.isdecimal() and int(part) for part in parts):
            self.fail(f"'{value}' is neither I nor I/B with numbers from 1", param, ctx)
        numbers = [int(part) for part in parts]
        return Replay(numbers[0], numbers[1] if numbers[1:] else None)


_OPTIONS = (
    click.option(
        "--chaos",
        "chaos_runs",
        metavar="N",
        type=click.IntRange(1),
        help="Run it N times under crashes, failures and late answers, on a store of its own; "
        "needs --check or --leaves.",
    ),
    click.option(
        "--check",
        "chaos_check",
        metavar="CMD",
        help="With --chaos: a shell command that exits with 0 if the world shows what $WF_EXPECT "
        "says, `all` or `none`.",
    ),
    click.option(
        "--leaves",
        "chaos_leaves",
        metavar="PATH",
        type=click.Path(path_type=Path),
        help="With --chaos: a file or folder that must be as before after each run that was "
        "undone.",
    ),
    click.option(
        "--seed",
        "chaos_seed",
        metavar="K",
        type=int,
        help="With --chaos: draw crashes and faults from this number; 1 if not given.",
    ),
    click.option(
        "--chaos-run",
        "chaos_only",
        metavar="I/B",
        type=ReplayType(),
        help="With --chaos: only run I of the N, to see it again; a report says I and B.",
    ),
)


def chaos_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options, handed to `command` as one argument `chaos`."""

    def run(
        *args: Any,
        chaos_runs: int | None,
        chaos_check: str | None,
        chaos_leaves: Path | None,
        chaos_seed: int | None,
        chaos_only: Replay | None,
        **kwargs: Any,
    ) -> None:
        chaos = Options(chaos_runs, chaos_check, chaos_leaves, chaos_seed, chaos_only)
        command(*args, chaos=checked(chaos), **kwargs)

    # click keeps the options that were declared so far, and the help, on the function.
    run.__doc__ = command.__doc__
    vars(run).update(vars(command))
    for option in reversed(_OPTIONS):
        option(run)
    return run


def checked(chaos: Options) -> Options:
    """The same options; raises click.UsageError where they don't fit each other."""
    if chaos.runs is None:
        given = [
            name
            for name, value in (
                ("--check", chaos.check),
                ("--leaves", chaos.leaves),
                ("--seed", chaos.seed),
                ("--chaos-run", chaos.only),
            )
            if value is not None
        ]
        if given:
            raise click.UsageError(f"{given[0]} belongs to --chaos; add `--chaos N`, or drop it")
    elif not (chaos.check or "").strip() and (chaos.leaves is None or chaos.check is not None):
        raise click.UsageError(
            "--chaos needs `--check CMD`, a shell command that exits with 0 if the world shows "
            "what $WF_EXPECT says, `all` or `none`, or `--leaves PATH`, what an undone run must "
            "leave as it was"
        )
    elif chaos.only is not None and chaos.only.run > chaos.runs:
        raise click.UsageError(f"there is no run {chaos.only.run} of {chaos.runs}; raise --chaos")
    return chaos


def require_alone(files: Sequence[str], *, replace: bool) -> None:
    """Raise click.UsageError for what can't stand beside --chaos."""
    if len(files) != 1:
        raise click.UsageError("--chaos takes exactly one FILE")
    if replace:
        raise click.UsageError("--chaos has stores of its own: drop --replace")


def run_chaos(
    chaos: Options,
    workflow: Workflow,
    config: Path | None,
    command: Sequence[str],
    output: Format,
) -> ExitCode:
    """Run the campaign and show its report. `command` is how to call it again, options excepted."""
    from wf_core.chaos.campaign import Ask, Stopped, campaign

    assert chaos.runs is not None
    ask = Ask(
        workflow,
        chaos.runs,
        chaos.check,
        1 if chaos.seed is None else chaos.seed,
        None if config is None else str(config.absolute()),
        None if chaos.leaves is None else chaos.leaves.absolute(),
        None if chaos.only is None else chaos.only.run,
        None if chaos.only is None else chaos.only.boundaries,
    )
    try:
        report = campaign(ask, _tell)
    except Stopped as stopped:
        _clear()
        click.echo(_stopped(workflow, stopped.store), err=True)
        return ExitCode.INTERRUPTED
    _clear()
    replay = _replay(ask, report, command)
    show(
        output,
        lambda: {**attrs.asdict(report), "replay": replay},
        lambda: (),
        lambda: click.echo("\n".join(_lines(report, replay))),
    )
    return ExitCode.SUCCESS if report.violation is None else ExitCode.OPERATOR


def arguments(
    file: str, params: Mapping[str, Json], name: str | None, config: Path | None
) -> list[str]:
    """The command line of `wf run` for these, without what is said of chaos."""
    found = ["wf", "run", file]
    for key, value in params.items():
        found += ["--param", f"{key}={json.dumps(value)}"]
    found += ["--name", name] if name else []
    return found + (["--config", str(config)] if config else [])


def _replay(ask: "Ask", report: "Report", command: Sequence[str]) -> str | None:
    if report.violation is None:
        return None
    options = {
        "--chaos": ask.runs,
        "--check": ask.check,
        "--leaves": ask.leaves,
        "--seed": ask.seed,
        "--chaos-run": f"{report.violation.run}/{report.boundaries}",
    }
    given = {name: value for name, value in options.items() if value is not None}
    words = [word for name, value in given.items() for word in (name, str(value))]
    return shlex.join([*command, *words])


def _tell(line: str) -> None:
    """Progress on stderr: one line that changes on a terminal, every line elsewhere."""
    terminal = sys.stderr.isatty()
    click.echo(f"{_ERASE}{line}" if terminal else f"wf: {line}", nl=not terminal, err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo(_ERASE, nl=False, err=True)


def _stopped(workflow: Workflow, store: Path | None) -> str:
    if store is None:
        return "wf: stopped between two runs"
    return (
        f"wf: stopped in a run; its store is {store}: `wf --store sqlite:{store} resume "
        f"{key_of(workflow)}` goes on with it"
    )


def _lines(report: "Report", replay: str | None) -> Iterator[str]:
    yield (
        f"{report.held} of {plural(report.asked, 'run')} held (seed {report.seed}); "
        f"{report.lives} lives of the engine, each a process that takes over from the one before"
    )
    yield (
        f"a run without faults crosses {report.boundaries} boundaries; first crashes hit "
        f"{report.reached} of them"
    )
    yield from _counted("crashes", report.crashes)
    yield from _counted("faults injected", report.faults)
    yield from _counted("endings", report.endings)
    for note in report.notes:
        yield f"note: {note}"
    if report.violation is None:
        return
    broken = report.violation
    yield ""
    yield f"run {broken.run} broke the promise"
    yield f"  expected: {broken.expected}"
    yield f"  found:    {broken.found}"
    if broken.output:
        yield "  the check said:"
        yield from (f"    {line}" for line in broken.output.splitlines())
    yield "  what happened:"
    yield from (f"    {line}" for line in broken.story)
    yield f"  its store: {broken.store} (`wf --store sqlite:{broken.store} list`)"
    yield "  again, once the world is clean:"
    yield f"    {replay}"


def _counted(what: str, counts: Mapping[str, int]) -> Iterator[str]:
    if not counts:
        yield f"{what}: none"
        return
    yield f"{what}:"
    yield from (f"  {number:>4}  {word}" for word, number in sorted(counts.items()))
