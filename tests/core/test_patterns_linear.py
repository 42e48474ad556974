"""Every regular expression of the product takes time in proportion to what it reads (semantics C7).

Found in the sources, so that a new one can't be missed, and tried on texts made of its own
alphabet. What is compared is the time of one text with that of one eight times as long.
"""

import ast
import importlib
import importlib.util
import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("wf_core/src", "wf_k8s/src", "plugins/*/src")
OWN = ("testing", "barrier", "scaffold", "chaos", "prove")
"""What reads nothing foreign: the tools of those who build this."""

FUNCTIONS = frozenset(
    {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
)
STEP = 8
SHORT = (8, 12, 16, 20, 24)
LONG = (250, 250 * STEP, 250 * STEP * STEP)
BOUND = 24.0
"""A linear one grows eight times, a quadratic one sixty-four times."""

MEASURABLE = 0.002
TOO_LONG = 0.5


@attrs.frozen
class Found:
    """A pattern and the place in the sources that has it."""

    place: str
    pattern: "re.Pattern[str]"


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


def compiled_in(path: Path) -> dict[str, "re.Pattern[str]"]:
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
        for name, pattern in compiled.items():
            found[f"{shown}:{name}"] = Found(f"{shown}:{name}", pattern)
        for call in here:
            first = call.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                place = f"{shown}:{call.lineno}"
                flags = re.IGNORECASE | re.DOTALL
                found[place] = Found(place, re.compile(first.value, flags))
                continue
            # Put together where the module is read: then it is one of the module's own.
            assert call.func.attr == "compile" and compiled, (  # type: ignore[attr-defined]
                f"{shown}:{call.lineno}: a pattern that this test can't see"
            ) if not _listed(shown) else True
    return list(found.values())


NOT_FOREIGN = frozenset({"plugins/wf_podstep/src/wf_podstep/failures.py"})
"""Patterns that are arguments: the callers, in the same file, write them out."""


def _listed(shown: str) -> bool:
    return shown in NOT_FOREIGN


def alphabet(pattern: str) -> list[str]:
    """The characters that a pattern itself names, one of each class, and one that it does not."""
    named = [each for each in dict.fromkeys(pattern) if not each.isalnum() and each.isprintable()]
    kinds = [each for each in ("a", "A", "0", "_", " ", "\n") if each not in named]
    literal = [each for each in dict.fromkeys(re.sub(r"\\.|\[[^\]]*\]", "", pattern))
               if each.isalnum()]
    return [*named, *kinds, *literal][:24]


def words(pattern: str) -> Iterator[str]:
    letters = alphabet(pattern)
    yield from letters
    yield from map("".join, itertools.permutations(letters, 2))
    for whole in re.findall(r"[^\\()\[\]|?*+]{2,}", pattern):
        yield whole


def texts(pattern: str, word: str, n: int) -> Iterator[str]:
    """About n characters: the word again and again, with an end that lets nothing fit."""
    repeated = (word * (n // len(word) + 1))[:n]
    for opening in ("", "${", "{", "a"):
        yield f"{opening}{repeated}\0"


def seconds(pattern: "re.Pattern[str]", text: str) -> float:
    """The best of three, in the time of this thread alone."""
    best = float("inf")
    for _ in range(3):
        begun = time.thread_time()
        pattern.fullmatch(text)
        for _match in pattern.finditer(text):
            pass
        best = min(best, time.thread_time() - begun)
        if best > TOO_LONG:
            break
    return best


def slow_on(pattern: "re.Pattern[str]") -> str | None:
    """A text on which time grows faster than length, or None."""
    for word in dict.fromkeys(words(pattern.pattern)):
        for n in range(4):
            if _grows(lambda size, word=word, n=n: _nth(texts(pattern.pattern, word, size), n),
                      pattern):
                return repr(_nth(texts(pattern.pattern, word, 16), n))
    return None


def _nth(of: Iterator[str], n: int) -> str:
    return next(itertools.islice(of, n, None))


def _grows(text: Callable[[int], str], pattern: "re.Pattern[str]") -> bool:
    # Short ones first: what takes exponential time shows there, and would not end on long ones.
    if any(seconds(pattern, text(size)) > TOO_LONG for size in SHORT):
        return True
    for small, large in itertools.pairwise(LONG):
        if seconds(pattern, text(large)) < MEASURABLE:
            continue
        ratios = (
            seconds(pattern, text(large)) / max(seconds(pattern, text(small)), 1e-6)
            for _ in range(3)
        )
        if all(each > BOUND for each in ratios):
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
    ],
)
def test_what_is_not_linear_is_told_from_what_is(pattern: str) -> None:
    assert slow_on(re.compile(pattern)) is not None


@pytest.mark.parametrize("found", EVERY, ids=lambda found: found.place)
def test_each_takes_time_in_proportion(found: Found) -> None:
    assert slow_on(found.pattern) is None, found.pattern.pattern
