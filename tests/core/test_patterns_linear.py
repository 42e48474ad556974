"""Every regular expression of the product takes time in proportion to what it reads (semantics C7).

Found in the sources, so that a new one can't be missed, and tried on texts made of its own
alphabet. What is compared is the time of one text with that of one eight times as long.
"""

import ast
import importlib
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("wf_core/src", "wf_k8s/src", "plugins/*/src")
OWN = ("testing", "barrier", "scaffold", "chaos", "prove")
"""What reads nothing foreign: the tools of those who build this."""

FUNCTIONS = frozenset(
    {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
)
SHORT = (8, 12, 16, 18, 20, 22, 24)
"""What takes exponential time shows here, and would not end on long texts."""

LONG = (125, 1000, 8000)
BOUND = 24.0
"""A linear one grows eight times from one to the next, a quadratic one sixty-four times."""

MEASURABLE = 0.002
TOO_LONG = 0.2

Pattern = re.Pattern[str] | re.Pattern[bytes]


@attrs.frozen
class Found:
    """A pattern and the place in the sources that has it."""

    place: str
    pattern: Pattern
    whole: bool
    """Whether it is only ever matched from the beginning: then it isn't tried at each character."""

    @property
    def written(self) -> str:
        pattern = self.pattern.pattern
        return pattern if isinstance(pattern, str) else pattern.decode("latin-1")


def modules() -> Iterator[Path]:
    for pattern in SOURCES:
        for root in ROOT.glob(pattern):
            for path in sorted(root.rglob("*.py")):
                if not set(OWN) & set(path.relative_to(root).parts):
                    yield path


def calls(path: Path) -> Iterator[ast.Call]:
    """Calls of the module `re`; importing its functions by name is not how this code is written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.ImportFrom) and node.module == "re"), path
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        value = node.func.value
        if isinstance(value, ast.Name) and value.id == "re" and node.func.attr in FUNCTIONS:
            yield node


def compiled_in(path: Path) -> dict[str, Pattern]:
    root = next(each for each in path.parents if each.name == "src")
    name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    return {k: v for k, v in vars(module).items() if isinstance(v, re.Pattern)}


def everything() -> list[Found]:
    found: dict[str, Found] = {}
    for path in modules():
        here = list(calls(path))
        if not here:
            continue
        shown = str(path.relative_to(ROOT))
        compiled = compiled_in(path)
        text = path.read_text(encoding="utf-8")
        for name, pattern in compiled.items():
            used = set(re.findall(rf"\b{name}\.([a-z]+)\(", text))
            whole = bool(used) and used <= {"fullmatch", "match"}
            found[f"{shown}:{name}"] = Found(f"{shown}:{name}", pattern, whole)
        for call in here:
            attribute = call.func
            assert isinstance(attribute, ast.Attribute)
            first = call.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes):
                if attribute.attr == "compile" and any(
                    each.pattern == first.value for each in compiled.values()
                ):
                    continue
                place = f"{shown}:{call.lineno}"
                whole = attribute.attr in ("fullmatch", "match")
                found[place] = Found(place, re.compile(first.value, re.DOTALL), whole)
                continue
            if shown in ARGUMENTS:
                continue
            # Put together where the module is read: then it is one of the module's own.
            assert attribute.attr == "compile", f"{shown}:{call.lineno}: unseen"
            assert compiled, f"{shown}:{call.lineno}: unseen"
    return list(found.values())


ARGUMENTS = frozenset({"plugins/wf_podstep/src/wf_podstep/failures.py"})
"""Where patterns are arguments: the callers, in the same file, write them out."""


def words(pattern: str) -> list[str]:
    """What adversarial texts repeat: the characters that a pattern names, one of each class, pairs
    of them, and what it spells out."""
    escaped = re.findall(r"\\(\W)", pattern)
    named = [each for each in dict.fromkeys([*escaped, *pattern]) if not each.isalnum()]
    literal = re.sub(r"\\.|\[[^\]]*\]", "", pattern)
    letters = [each for each in dict.fromkeys(literal) if each.isalnum()]
    every = list(dict.fromkeys(["a", "0", " ", *letters[:3], *named[:10]]))
    spelt: list[str] = re.findall(r"[^\\()\[\]|?*+]{2,}", pattern)
    pairs = map("".join, itertools.permutations(every, 2))
    return list(dict.fromkeys([*every, *spelt, *pairs]))


def seconds(found: Found, text: str) -> float:
    """The time of this thread alone."""
    pattern: Any = found.pattern
    read = text if isinstance(pattern.pattern, str) else text.encode("latin-1")
    begun = time.thread_time()
    pattern.fullmatch(read)
    if not found.whole:
        for _match in pattern.finditer(read):
            pass
    return time.thread_time() - begun


def slow_on(found: Found) -> str | None:
    """What to repeat for a text on which time grows faster than length, or None."""
    for word in words(found.written):
        for opening in ("", "${"):
            if _grows(found, opening, word):
                return f"{opening}{word}..."
    return None


def _grows(found: Found, opening: str, word: str) -> bool:
    def text(size: int) -> str:
        """With an end that lets nothing fit."""
        return f"{opening}{(word * (size // len(word) + 1))[:size]}\0"

    if any(seconds(found, text(size)) > TOO_LONG for size in SHORT):
        return True
    for small, large in itertools.pairwise(LONG):
        # The least of three is what it takes where nothing else has the machine.
        if (long := seconds(found, text(large))) < MEASURABLE:
            continue
        long = min(long, *(seconds(found, text(large)) for _ in range(2)))
        short = max(1e-6, min(seconds(found, text(small)) for _ in range(3)))
        if long > MEASURABLE and long / short > BOUND:
            return True
    return False


EVERY = everything()


def test_the_patterns_are_found() -> None:
    places = {each.place.partition(":")[0] for each in EVERY}
    assert "wf_core/src/wf_core/saga/references.py" in places
    assert "plugins/wf_http/src/wf_http/template.py" in places
    assert len(EVERY) > 25


@pytest.mark.parametrize(
    "pattern",
    [
        r"\$?\$\{([^{}$]*\.[^{}$]*)\}",  # what references were found by
        r"(a+)+b",
        r"\s+$",
        r"(?:[a-z]+,?)*;",
        rb'"[^"\\]*(?:\\.[^"\\]*)*"',  # texts of JSON, one that never ends
    ],
)
def test_what_is_not_linear_is_told_from_what_is(pattern: str | bytes) -> None:
    assert slow_on(Found("", re.compile(pattern), False)) is not None


@pytest.mark.parametrize("found", EVERY, ids=lambda found: found.place)
def test_each_takes_time_in_proportion(found: Found) -> None:
    assert slow_on(found) is None, found.written
