"""A block of a shell as commands, each with the output that the page shows for it."""

import re
import subprocess
from collections.abc import Iterator

import attrs

PROMPT = "$ "
_CODE = re.compile(r"#.*\bexit code (\d+)\s*$")
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?"), "DATE"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b(\d+(\.\d+)? ?(ms|s|min|m|h|d))+\b"), "DURATION"),
    (re.compile(r"\bpid \d+"), "pid N"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
)


@attrs.frozen
class Command:
    """What is typed, and the output that is shown; None where the page shows none.

    `code` is the exit code that is expected; None where the page asks for it in the next command.
    """

    text: str
    shown: tuple[str, ...] | None = None
    code: int | None = 0


def commands(block: str) -> list[Command]:
    """The commands of a block. Where lines begin with a prompt, the others are output."""
    lines = block.splitlines()
    found = list(_with_output(lines) if any(map(_prompted, lines)) else _bare(lines))
    for i, after in enumerate(found[1:]):
        if after.text.strip() == "echo $?":
            found[i] = attrs.evolve(found[i], code=None)
    return found


def same(shown: tuple[str, ...], came: list[str]) -> bool:
    """Whether output is what the page shows, but for times. A line `...` stands for any lines."""
    parts: list[list[str]] = [[]]
    for line in shown:
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(steady(line))
    lines = [steady(line) for line in came]
    first, *rest = parts
    if lines[: len(first)] != first or (not rest and len(lines) != len(first)):
        return False
    at = len(first)
    for part in rest:
        last = part is rest[-1]
        starts = range(at, len(lines) - len(part) + 1)
        wanted = [s for s in starts if lines[s : s + len(part)] == part]
        if last:
            return not part or len(lines) - len(part) in wanted
        if not wanted:
            return False
        at = wanted[0] + len(part)
    return True


def steady(line: str) -> str:
    """A line without what differs from run to run, and without the widths of columns."""
    for varying, word in _VARYING:
        line = varying.sub(word, line)
    return " ".join(line.split())


def _prompted(line: str) -> bool:
    return line.startswith(PROMPT)


def _with_output(lines: list[str]) -> Iterator[Command]:
    typed: list[str] = []
    shown: list[str] = []
    for line in [*lines, PROMPT]:
        if not _prompted(line):
            if typed and (typed[-1].endswith("\\") or _open("\n".join(typed))):
                typed.append(line.removeprefix("> "))
            else:
                shown.append(line)
            continue
        if typed:
            while shown and not shown[-1].strip():
                shown.pop()
            yield _command("\n".join(typed), tuple(shown))
        typed, shown = [line.removeprefix(PROMPT)], []


def _bare(lines: list[str]) -> Iterator[Command]:
    typed: list[str] = []
    for line in lines:
        typed.append(line)
        text = "\n".join(typed)
        if not _open(text):
            if text.strip():
                yield _command(text, None)
            typed = []
    if typed:
        yield _command("\n".join(typed), None)


def _command(text: str, shown: tuple[str, ...] | None) -> Command:
    code = _CODE.search(text)
    return Command(text, shown, int(code[1]) if code else 0)


def _open(text: str) -> bool:
    """Whether the shell would wait for more."""
    if text.endswith("\\"):
        return True
    read = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
    return read.returncode != 0 or "here-document" in read.stderr
