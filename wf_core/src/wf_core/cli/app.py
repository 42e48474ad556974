"""The group `wf`: which module holds which command, and what becomes of an error."""

import contextlib
import difflib
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from wf_core.cli.exits import ExitCode, of_error
from wf_core.cli.settings import shared_options
from wf_core.cli.streams import abandon, is_lost_output, open_missing
from wf_core.cli.text import inert, shortened
from wf_core.errors import DocumentInvalid, WfError

COMMANDS: dict[str, str] = {
    "run": "run",
    "resume": "run",
    "submit": "submit",
    "task": "task",
    "serve": "serve",
    "list": "show",
    "get": "show",
    "watch": "watch",
    "explain": "past",
    "history": "past",
    "logs": "logs",
    "validate": "files",
    "plan": "files",
    "graph": "files",
    "prove": "prove",
    "cancel": "requests",
    "suspend": "requests",
    "continue": "requests",
    "retry": "requests",
    "skip-rollback": "requests",
    "mark-rolled-back": "requests",
    "mark-succeeded": "requests",
    "rollback": "requests",
    "signal": "requests",
    "folder": "folder",
    "cron": "cron",
    "delete": "delete",
    "prune": "prune",
    "kinds": "installed",
    "plugins": "installed",
    "plugin": "plugin",
    "schema": "installed",
    "config": "config",
    "callbacks": "callbacks",
    "completion": "completion",
}
"""Every command of our own and the module of `wf_core.cli` that holds it, imported when needed.
The command `a-b` is the attribute `a_b_command`."""


_LONGEST_NAME = 200
"""Letters of a file's name, or of an argument, in a message."""


class _OutputLost(Exception):  # noqa: N818
    """Nobody reads our output any more. (click would turn a BrokenPipeError into exit code 1.)"""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class Commands(click.Group):
    """Imports a command when it is called; asks the plugins only for what is not our own."""

    _asked_plugins = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our own, in the order of a workflow's life, then those of plugins."""
        self._ask_plugins()
        return [*COMMANDS, *(name for name in super().list_commands(ctx) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"wf_core.cli.{COMMANDS[cmd_name]}")
            command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
            assert isinstance(command, click.Command)
            return command
        if not cmd_name.startswith("-"):
            self._ask_plugins()
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name where there is no such command."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            hint = f"did you mean '{near[0]}'?" if near else "`wf --help` lists them"
            raise click.UsageError(f"no command '{name}'; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does, but output that can't be written is told apart from other errors."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if not is_lost_output(error):
                raise
            raise _OutputLost(error) from error

    def _ask_plugins(self) -> None:
        if not self._asked_plugins:
            self._asked_plugins = True
            from wf_core.cli.registry import installed

            installed().add_cli_commands(self)


def _version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"wf {version('wf-core')}")
        ctx.exit()


@click.group(
    cls=Commands,
    params=[
        *shared_options(outer=True),
        click.Option(
            ["-V", "--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Show the version.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run workflows that end as if all of their steps had happened, or none.

    `wf run FILE` runs a workflow and shows it live. Whatever interrupts it, `wf resume` goes on.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def run(arguments: Sequence[str]) -> int:
    """Run `wf` with `arguments`; errors are printed, the exit code is given back."""
    open_missing()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character of a hook's error must not end the command.
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    _log(debug=_debugs(arguments))
    unreadable = _unreadable(arguments)
    if unreadable:
        _say(unreadable)
        return ExitCode.USAGE
    try:
        code = cli.main(list(arguments), prog_name="wf", standalone_mode=False)
        sys.stdout.flush()
    except _OutputLost as lost:
        return _lost(lost.error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("wf: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except WfError as error:
        _say(str(error) if not isinstance(error, DocumentInvalid) else _document(error))
        return of_error(error)
    except OSError as error:
        if is_lost_output(error):
            return _lost(error)
        if error.filename is None:
            return _unexpected(error, arguments)
        _say(f"{shortened(str(error.filename), _LONGEST_NAME)}: {error.strerror}")
        return ExitCode.OPERATOR
    except Exception as error:
        return _unexpected(error, arguments)
    return code if isinstance(code, int) else ExitCode.SUCCESS


def _unreadable(arguments: Sequence[str]) -> str:
    """Which argument or variable of ours is no text: it could be neither stored nor shown."""
    named = {f"argument {n}": each for n, each in enumerate(arguments, 1)}
    named |= {name: each for name, each in os.environ.items() if name.startswith("WF_")}
    for name, each in named.items():
        if "\0" in each:
            return f"{name} holds a NUL character, which no name and no text has; leave it out"
        try:
            each.encode()
        except UnicodeEncodeError:
            shown = shortened(each.encode(errors="backslashreplace").decode(), _LONGEST_NAME)
            return (
                f"{name} is not text in UTF-8: {inert(shown)}; "
                "write it in UTF-8, and rename a file that has such a name"
            )
    return ""


def _lost(error: OSError) -> int:
    code = abandon(error)
    if code is not ExitCode.BROKEN_PIPE:
        _say(
            f"the output could not be written: {error.strerror}; nothing that was saved is lost. "
            "Send it elsewhere and ask again"
        )
    return code


def _unexpected(error: Exception, arguments: Sequence[str]) -> int:
    if _debugs(arguments):
        traceback.print_exc()
    _say(
        f"this should not happen: {type(error).__name__}: {error}; "
        "`wf --debug ...` shows where; nothing that was saved is lost"
    )
    return ExitCode.OPERATOR


def _say(message: str) -> None:
    # Nobody holds a context any more from which click would know.
    color = False if os.environ.get("NO_COLOR") else None
    with contextlib.suppress(OSError):  # with nobody to tell it to, the exit code says it
        click.echo(f"{click.style('wf: error:', fg='red')} {message}", err=True, color=color)


def _document(error: DocumentInvalid) -> str:
    """One fault in a line, several below each other."""
    if len(error.faults) == 1:
        return str(error)
    lines = [f"  {fault}" for fault in error.faults]
    return "\n".join([f"{error.source or 'the document'} has {len(lines)} faults", *lines])


def _usage(error: click.ClickException) -> int:
    message = error.format_message()
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(message, err=True)
        return ExitCode.USAGE
    _say(message[:1].lower() + message[1:])
    if command:
        click.echo(f"`{command} --help` shows how it is used", err=True)
    return ExitCode.USAGE


def _debugs(arguments: Sequence[str]) -> bool:
    return "--debug" in arguments or bool(os.environ.get("WF_DEBUG"))


class _Stderr(logging.Handler):
    """Writes to whatever stderr is now: the live tree puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # a log that nobody reads ends nothing
            click.echo(f"wf: {record.levelname.lower()}: {self.format(record)}", err=True)


def _log(*, debug: bool) -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _Stderr) for handler in root.handlers):
        root.addHandler(_Stderr())
    logging.getLogger("wf").setLevel(logging.DEBUG if debug else logging.WARNING)
