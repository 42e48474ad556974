"""The command line as a whole: help, slips, errors, what plugins add."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.core.cli.made import Shell, workflow

from wf_core.cli import app, registry
from wf_core.cli.app import COMMANDS, cli
from wf_core.cli.verb import Verb
from wf_core.codec import dump


def commands() -> list[tuple[str, click.Command]]:
    """Every command of our own, those of groups too."""
    found: list[tuple[str, click.Command]] = []
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", each) for sub, each in command.commands.items()]
    return found


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_says_what_it_does_and_shows_examples(
    name: str, command: click.Command
) -> None:
    assert command.help
    short = command.get_short_help_str(limit=80)
    assert len(short) <= 56, "longer than a line of `wf --help`"
    if isinstance(command, Verb):
        assert command.examples
        assert any(f"wf {name}" in line for line in command.examples)
    else:
        assert isinstance(command, click.Group)


def test_help_shows_examples_and_the_shared_options(shell: Shell) -> None:
    shown = shell.wf("run", "--help")
    assert shown.code == 0
    assert "  wf run order.yaml --param customer=ada --name order-17" in shown.lines
    assert all(f"--{name}" in shown.out for name in ("store", "config", "namespace", "debug"))


def test_a_misspelt_command_gets_the_nearest_name(shell: Shell) -> None:
    result = shell.wf("lst")
    assert result.code == 2
    assert result.err.splitlines()[0] == "wf: error: no command 'lst'; did you mean 'list'?"


def test_a_misspelt_option_is_a_usage_error(shell: Shell) -> None:
    result = shell.wf("list", "--phse", "Running")
    assert result.code == 2
    assert result.err.startswith("wf: error: no such option")
    assert result.err.endswith("`wf list --help` shows how it is used\n")


def test_without_a_command_help_is_shown_and_it_is_a_usage_error(shell: Shell) -> None:
    assert app.run([]) == 2
    assert "Usage: wf" in shell.capture.readouterr().err
    assert "missing command" in shell.wf("--store", shell.url).err


def test_options_may_stand_before_and_behind_the_command_and_behind_wins(shell: Shell) -> None:
    shell.keep(workflow())
    elsewhere = f"sqlite:{shell.folder / 'other.db'}"
    before = ("--store", shell.url)
    assert shell.wf(*before, "list", "-o", "name").out == "order\n"
    assert shell.wf(*before, "list", "-o", "name", "--store", elsewhere).out == ""


def test_the_environment_names_the_store(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.keep(workflow())
    monkeypatch.setenv("WF_STORE", shell.url)
    assert app.run(["list", "-o", "name"]) == 0
    assert shell.capture.readouterr().out == "order\n"


def test_the_default_store_lies_in_the_users_state_folder(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WF_STORE")
    monkeypatch.setenv("XDG_STATE_HOME", str(shell.folder / "state"))
    assert app.run(["submit", shell.file("order.yaml", dump(workflow()))]) == 0
    assert (shell.folder / "state" / "wf" / "wf.db").exists()


def test_an_error_of_the_surroundings_says_what_to_do_and_exits_1(shell: Shell) -> None:
    shell.file("wf.db", "this is no database, but it is long enough to be taken for one" * 20)
    result = shell.wf("list")
    assert result.code == 1
    assert result.err.startswith("wf: error: ")
    assert "Traceback" not in result.err


def test_a_bug_is_one_line_and_a_traceback_only_with_debug(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("wf_core.cli.stores.installed", broken)
    result = shell.wf("list")
    assert result.code == 1
    assert result.err.startswith("wf: error: this should not happen: ZeroDivisionError: oh;")
    assert "Traceback" not in result.err
    assert "Traceback" in shell.wf("list", "--debug").err


def test_plugins_add_commands_which_are_looked_for_only_when_needed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[click.Group] = []

    class Plugins:
        def add_cli_commands(self, group: click.Group) -> None:
            asked.append(group)

            @group.command("hello")
            def hello() -> None:
                """Greet."""
                click.echo("hi")

    monkeypatch.setattr(registry, "installed", Plugins)
    monkeypatch.setattr(cli, "commands", {})
    monkeypatch.setattr(cli, "_asked_plugins", False)
    assert shell.wf("list", "--help").code == 0
    assert not asked
    assert shell.wf("hello").out == "hi\n"
    assert "Greet." in shell.wf("--help").out
    assert len(asked) == 1


def test_whoever_reads_us_may_go_away() -> None:
    script = (
        "import os, sys; from wf_core.cli.app import run; r, w = os.pipe(); os.close(r);"
        "os.dup2(w, 1); code = run(['schema']); os._exit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (141, "")


def test_the_version_is_told_without_importing_anything_heavy() -> None:
    script = (
        "import sys; sys.argv = ['wf', '--version']; from wf_core.cli.main import main;"
        "assert main() == 0; assert not {'click', 'asyncio', 'yaml', 'pluggy'} & set(sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("wf ")


def test_the_version_is_told_beside_other_options_too(shell: Shell) -> None:
    assert shell.wf("-V").out.startswith("wf ")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion_script(shell: Shell, name: str) -> None:
    assert "_WF_COMPLETE" in shell.wf("completion", name).out


def test_every_module_named_for_a_command_exists() -> None:
    folder = Path(app.__file__).parent
    assert all((folder / f"{module}.py").exists() for module in COMMANDS.values())


@pytest.mark.parametrize(("setting", "coloured"), [({"NO_COLOR": "1"}, False), ({}, True)])
def test_errors_on_a_terminal_have_colour_unless_it_is_declined(
    setting: dict[str, str], coloured: bool
) -> None:
    screen, terminal = pty.openpty()
    given = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-m", "wf_core.cli.main", "lst"],
        stderr=terminal,
        env={**given, **setting},
        check=False,
    )
    shown = os.read(screen, 4096)
    os.close(terminal)
    os.close(screen)
    assert b"no command 'lst'" in shown
    assert (b"\x1b[" in shown) is coloured
