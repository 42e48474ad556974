"""Markdown as these pages need it."""

import inspect
import re
import typing
from collections.abc import Iterable, Iterator

LITERAL = re.compile(r"``([^`]+)``")
RULE = re.compile(r" ?\((?:semantics )?[A-Z]\d+\)")  # whose text is no part of the docs
UNQUALIFIED = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z])")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table; what would end a cell is escaped."""
    names = list(heads)
    yield from (_row(names), f"|{'---|' * len(names)}")
    yield from (_row(cells) for cells in rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def code(text: str) -> str:
    """Set as code; nothing where there is nothing."""
    return f"`{text}`" if text else ""


def docstring(of: object) -> str:
    """What an object says of itself, without the examples in it."""
    text = RULE.sub("", LITERAL.sub(r"`\1`", inspect.getdoc(of) or ""))
    paragraphs = text.split("\n\n")
    return "\n\n".join(each for each in paragraphs if not each.lstrip().startswith(">>>"))


def type_name(of: object) -> str:
    """A type in the words of its author, without the modules it comes from."""
    if of is None or of is type(None):
        return "None"
    if isinstance(of, str):
        return UNQUALIFIED.sub("", of)
    if isinstance(of, type) and not typing.get_args(of):
        return of.__name__
    return UNQUALIFIED.sub("", str(of))


def call_of(function: object, name: str) -> str:
    """A function with the names of its arguments alone."""
    given = inspect.signature(function).parameters  # type: ignore[arg-type]
    return f"{name}({', '.join(each for each in given if each != 'self')})"


def signature(function: object, name: str) -> str:
    """How a function is called, with a line for each argument where it is long."""
    given = inspect.signature(function)  # type: ignore[arg-type]
    parts = []
    star = False
    for each in given.parameters.values():
        if each.name == "self":
            continue
        if each.kind is inspect.Parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        default = "" if each.default is inspect.Parameter.empty else f" = {each.default!r}"
        parts.append(f"{each.name}: {type_name(each.annotation)}{default}")
    result = f" -> {type_name(given.return_annotation)}"
    line = f"{name}({', '.join(parts)}){result}"
    if len(line) <= 90:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){result}"
