"""The group `wf`: which module holds which command, and what becomes of an error."""

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
    "cron": "cron",
    "delete": "delete",
    "prune": "prune",
    "kinds": "installed",
    "plugins": "installed",
    "plugin": "plugin",
    "schema": "installed",
    "config": "config",
    "completion": "completion",
}
"""Every command of our own and the module of `wf_core.cli` that holds it, imported when needed.
The command `a-b` is the attribute `a_b_command`."""


class _ReaderGone(Exception):  # noqa: N818
    """Whoever read our output is gone. (click would turn a BrokenPipeError into exit code 1.)"""


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
        """As click does, but a reader that is gone is told apart from other errors."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error

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
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character of a hook's error must not end the command.
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    _log(debug=_debugs(arguments))
    try:
        code = cli.main(list(arguments), prog_name="wf", standalone_mode=False)
        sys.stdout.flush()
    except (_ReaderGone, BrokenPipeError):
        # Whoever read us is gone; the interpreter must not try to flush to it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        click.echo("wf: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except WfError as error:
        _say(str(error) if not isinstance(error, DocumentInvalid) else _document(error))
        return of_error(error)
    except Exception as error:
        if _debugs(arguments):
            traceback.print_exc()
        _say(
            f"this should not happen: {type(error).__name__}: {error}; "
            "`wf --debug ...` shows where; nothing that was saved is lost"
        )
        return ExitCode.OPERATOR
    return code if isinstance(code, int) else ExitCode.SUCCESS


def _say(message: str) -> None:
    # Nobody holds a context any more from which click would know.
    color = False if os.environ.get("NO_COLOR") else None
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
        click.echo(f"wf: {record.levelname.lower()}: {self.format(record)}", err=True)


def _log(*, debug: bool) -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _Stderr) for handler in root.handlers):
        root.addHandler(_Stderr())
    for name in ("wf", "wf_core"):
        logging.getLogger(name).setLevel(logging.DEBUG if debug else logging.WARNING)
