"""The pages that people read, and the blocks of code in them.

What a block needs that its text does not say stands in a comment right before it, which readers do
not see: `<!-- runs: never: it would erase the disk -->`. A comment `<!-- before: ... -->` holds
commands that make what the page takes for granted.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
PATTERNS = ("*.md", "docs/*.md", "docs/decisions/*.md", "wf_*/README.md", "plugins/*/README.md")
SHELLS = ("console", "sh", "bash", "shell")

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[\w-]*) *(?P<rest>.*)$")
_TITLE = re.compile(r'title="([^"]+)"')
_COMMENT = re.compile(r"<!--\s*(runs|before):\s*(.*?)\s*-->", re.DOTALL)


class Where(StrEnum):
    """Where a block can run."""

    HERE = "here"
    CLUSTER = "cluster"
    NODE = "node"
    NEVER = "never"


@attrs.frozen
class Block:
    """One block of code: its language, its text, and the file that it shows, if it names one.

    `hidden` is one of commands that stand in a comment. `why` says why it does not run.
    """

    line: int
    language: str
    text: str
    title: str = ""
    where: Where = Where.HERE
    why: str = ""
    hidden: bool = False

    @property
    def is_shell(self) -> bool:
        """Whether it holds commands."""
        return self.language in SHELLS


@attrs.frozen
class Page:
    """One page, as it is stored."""

    path: Path
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    def at(self, block: Block) -> str:
        """Where a block is found."""
        return f"{self.name}:{block.line}"


def every_page() -> list[Page]:
    """All pages, those made from the code included."""
    paths = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))
    return [Page(path, tuple(blocks(path.read_text(encoding="utf-8")))) for path in paths]


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page in their order."""
    lines = text.splitlines()
    at = 0
    note: tuple[Where, str] = (Where.HERE, "")
    while at < len(lines):
        if lines[at].lstrip().startswith("<!--"):
            end = next(i for i in range(at, len(lines)) if "-->" in lines[i])
            found = _COMMENT.search("\n".join(lines[at : end + 1]))
            if found and found[1] == "runs":
                note = _runs(found[2])
            elif found:
                yield Block(at + 1, "sh", found[2], where=note[0], hidden=True)
            at = end + 1
            continue
        fence = _FENCE.match(lines[at])
        if fence is None:
            if lines[at].strip():
                note = (Where.HERE, "")
            at += 1
            continue
        end = _end(lines, at, fence["ticks"])
        inside = [line.removeprefix(fence["indent"]) for line in lines[at + 1 : end]]
        title = _TITLE.search(fence["rest"])
        named = title[1] if title else ""
        yield Block(at + 1, fence["language"], "\n".join(inside) + "\n", named, *note)
        note = (Where.HERE, "")
        at = end + 1


def _end(lines: Sequence[str], start: int, ticks: str) -> int:
    for at in range(start + 1, len(lines)):
        if lines[at].strip() == ticks:
            return at
    raise ValueError(f"the block in line {start + 1} has no end")


def _runs(text: str) -> tuple[Where, str]:
    where, _, why = text.partition(":")
    return Where(where.strip()), why.strip()
