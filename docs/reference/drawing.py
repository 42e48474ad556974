"""Draws phases in a row, with an arc for each move: onward ones above, ways back below."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from wf_core.saga.table import Move

WIDTH, HEIGHT = 108, 34  # of a phase
PITCH = 142  # from one phase to the next
RISE = 17  # how much higher an arc is for each phase that it passes over
INK = "#7a86b8"  # seen on a light page as well as on a dark one


def phases_in_a_row(moves: Sequence[Move]) -> str:
    """An SVG of them. A move from a phase to itself is a small loop above it."""
    names = [str(name) for name in dict.fromkeys(_in_order(moves))]
    places = {name: 12 + PITCH * i for i, name in enumerate(names)}
    pairs = dict.fromkeys((str(move.before), str(move.after)) for move in moves)
    spans = [names.index(after) - names.index(before) for before, after in pairs]
    top = 30 + RISE * max(spans)
    height = top + HEIGHT + 30 + RISE * -min(spans)
    width = 24 + PITCH * (len(names) - 1) + WIDTH
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" font-family="sans-serif" font-size="14">',
            f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
            f' markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{INK}"/></marker>'
            "</defs>",
            *(_arc(places[a], places[b], top) for a, b in pairs),
            *(line for name in names for line in _phase(name, places[name], top)),
            "</svg>",
            "",
        ]
    )


def _in_order(moves: Iterable[Move]) -> Iterator[str]:
    """As a life goes: the moves of the table come in that order."""
    ways = list(moves)
    yield str(ways[0].before)
    for wanted in ("Running", "Success", "RollingBack", "RollBacked", "Failed"):
        if any(wanted in (str(move.before), str(move.after)) for move in ways):
            yield wanted


def _phase(name: str, x: int, top: int) -> Iterator[str]:
    yield (
        f'<rect x="{x}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#3f51b5"'
        f' stroke="{INK}"/>'
    )
    middle = (x + WIDTH / 2, top + HEIGHT / 2 + 5)
    yield (
        f'<text x="{middle[0]:g}" y="{middle[1]:g}" fill="#fff" text-anchor="middle">'
        f"{escape(name)}</text>"
    )


def _arc(start: int, end: int, top: int) -> str:
    """From the middle of one phase to the middle of another, a little aside so that two do not
    share a place."""
    middle = WIDTH // 2
    if start == end:
        x, y = start + middle, top
        way = f"M{x - 14} {y} C{x - 18} {y - 26} {x + 18} {y - 26} {x + 14} {y}"
    elif end > start:
        x1, x2, rise = start + middle + 22, end + middle - 22, _rise(start, end)
        way = f"M{x1} {top} C{x1 + 10} {top - rise} {x2 - 10} {top - rise} {x2} {top}"
    else:
        base = top + HEIGHT
        x1, x2, rise = start + middle - 22, end + middle + 22, _rise(start, end)
        way = f"M{x1} {base} C{x1 - 10} {base + rise} {x2 + 10} {base + rise} {x2} {base}"
    return f'<path d="{way}" fill="none" stroke="{INK}" stroke-width="1.5" marker-end="url(#tip)"/>'


def _rise(start: int, end: int) -> int:
    return 14 + RISE * (abs(end - start) // PITCH) * 4 // 3
