"""Runs the commands of a page one after the other, in one shell on a terminal, as readers do."""

import contextlib
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs
from tests.docs.commands import Command, commands, same
from tests.docs.pages import ROOT, Block, Page
from tests.patience import PATIENCE

MARK = "@@wf-docs"
_MARKED = re.compile(rf"^{MARK} (\d+) (\d+)$")
BESIDE = ("examples", "helm", "wf_core", "wf_k8s", "plugins", "Dockerfile", "tests")
"""What a reader finds in the folder of a checkout, where the commands are typed."""
ENDLESS = ("--watch", "--follow")
LOOKED_AT = 1
"""Seconds after which a command that only shows what happens is ended."""


@attrs.frozen
class Site:
    """A folder of a reader's own, with the programs that it is to find first."""

    folder: Path
    programs: tuple[Path, ...] = ()
    environment: Mapping[str, str] = {}


def run(page: Page, wanted: Callable[[Block], bool], site: Site) -> list[str]:
    """What did not come out as the page says; blocks that are not wanted are passed over."""
    steps = list(_steps(page, wanted))
    script = _script(steps, site)
    output = _on_a_terminal(script, site)
    return list(_judge(page, steps, output))


@attrs.frozen
class _Step:
    """A file to write, or a command."""

    block: Block
    command: Command | None = None


def _steps(page: Page, wanted: Callable[[Block], bool]) -> Iterator[_Step]:
    for block in page.blocks:
        if block.title:
            yield _Step(block)
        if block.is_shell and not block.title and wanted(block):
            for command in commands(block.text):
                yield _Step(block, command)
        if block.language == "python" and wanted(block) and not block.title:
            yield _Step(block, Command(f"python - <<'END'\n{block.text}END"))


def _script(steps: list[_Step], site: Site) -> Path:
    work = site.folder / "work"
    staged = site.folder / "staged"
    for folder in (work, staged):
        folder.mkdir(parents=True)
    for name in BESIDE:
        (work / name).symlink_to(ROOT / name)
    lines = [f"cd {shlex.quote(str(work))}", "trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    for number, step in enumerate(steps):
        if step.command is None:
            source = staged / str(number)
            source.write_text(step.block.text, encoding="utf-8")
            target = shlex.quote(step.block.title)
            lines.append(f'mkdir -p "$(dirname {target})"; cp -p {source} {target}')
            if step.block.text.startswith("#!"):
                lines.append(f"chmod +x {target}")
            continue
        lines += [
            f"(exit ${{code:-0}}); {_bounded(step.command.text)}",
            f'code=$?; printf "\\n{MARK} %d %d\\n" {number} $code',
        ]
    script = site.folder / "script"
    script.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return script


def _bounded(text: str) -> str:
    """The same, ended after a while where it would show things for ever."""
    if not any(option in text for option in ENDLESS):
        return text
    first, _, last = text.rpartition("&& ")
    watched = f"{{ timeout {LOOKED_AT} {last} || test $? -eq 124; }}"
    return f"{first}&& {watched}" if first else watched


def _on_a_terminal(script: Path, site: Site) -> str:
    home = site.folder / "home"
    home.mkdir()
    path = [*map(str, site.programs), str(Path(sys.executable).parent), os.environ["PATH"]]
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("WF_", "XDG_", "PYTEST", "KUBE"))
    }
    screen, terminal = pty.openpty()
    # Wide enough that nothing which a page shows is cut off.
    environment = {
        **kept,
        "HOME": str(home),
        "PATH": os.pathsep.join(path),
        # Nothing is moved on it, so that what stays at the end is what was printed; on a dumb one a
        # run would be shown as lines.
        "TERM": "unknown",
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "LINES": "50",
        **site.environment,
    }
    process = subprocess.Popen(
        ["bash", str(script)],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        env=environment,
        start_new_session=True,
    )
    os.close(terminal)
    try:
        return _read(screen, process)
    finally:
        os.close(screen)
        # Where all of it has ended already there is nothing to kill.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read(screen: int, process: "subprocess.Popen[bytes]") -> str:
    """What is shown until the shell ends, or until patience does."""
    shown = b""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ready, _, _ = select.select([screen], [], [], 0.1)
        if ready:
            try:
                more = os.read(screen, 65536)
            except OSError:  # Linux says so when the last one has closed the terminal.
                break
            if not more:
                break
            shown += more
        elif process.poll() is not None:
            break
    return shown.decode("utf-8", "replace").replace("\r\n", "\n")


def _judge(page: Page, steps: list[_Step], output: str) -> Iterator[str]:
    came: dict[int, tuple[list[str], int]] = {}
    lines: list[str] = []
    for line in output.splitlines():
        mark = _MARKED.match(line)
        if mark is None:
            # What a line showed before it was drawn anew is gone.
            lines.append(line.rpartition("\r")[2])
            continue
        came[int(mark[1])] = ("\n".join(lines).strip("\n").splitlines(), int(mark[2]))
        lines = []
    for number, step in enumerate(steps):
        command = step.command
        if command is None:
            continue
        where = f"{page.at(step.block)}: `{command.text}`"
        if number not in came:
            yield f"{where} did not end:\n" + "\n".join(lines)
            return
        shown, code = came[number]
        told = "\n".join(shown)
        if command.code is not None and code != command.code:
            yield f"{where} ended with {code}, not {command.code}:\n{told}"
        elif command.shown and not same(command.shown, shown):
            yield f"{where} does not show what the page says, but:\n{told}"
