"""A figure, its budget, and how both are shown."""

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs


@attrs.frozen
class Figure:
    """One number. `budget` is the most it may be (with `exact`: what it must be), None where the
    number only stands beside another. `note` says what it was made of. A figure that could not be
    measured has no value, and its note says why."""

    name: str
    value: float | None
    unit: str
    budget: float | None = None
    exact: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`ok`, `MISSED`, `skipped`, or nothing where there is no budget."""
        if self.value is None:
            return "skipped"
        if self.budget is None:
            return ""
        kept = self.value == self.budget if self.exact else self.value <= self.budget
        return "ok" if kept else "MISSED"


def median(values: Iterable[float]) -> float:
    """The median of a few runs: one disturbed run does not move it."""
    return statistics.median(values)


def number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """Figure, unit, budget, verdict and note, in columns."""
    rows = [("figure", "", "unit", "budget", "", "")]
    for each in figures:
        sign = "= " if each.exact else "<= "
        budget = "" if each.budget is None else sign + number(each.budget)
        rows.append((each.name, number(each.value), each.unit, budget, each.verdict, each.note))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            text.rjust(width) if column == 1 else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def write(figures: Sequence[Figure], path: Path) -> None:
    """The same as JSON."""
    rows = [{**attrs.asdict(each), "verdict": each.verdict} for each in figures]
    path.write_text(json.dumps({"figures": rows}, indent=2) + "\n")
