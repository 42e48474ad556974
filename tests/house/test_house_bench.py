"""What `make bench` says of a figure, and the figures that do not depend on the machine."""

import json
from pathlib import Path

import pytest
from benchmarks import saves
from benchmarks.figures import Figure, table, write


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("f", 1.5, "ratio", 1.5), "ok"),
        (Figure("f", 1.51, "ratio", 1.5), "MISSED"),
        (Figure("f", 11, "saves", 11, exact=True), "ok"),
        (Figure("f", 10, "saves", 11, exact=True), "MISSED"),
        (Figure("f", None, "s", 0.4, note="it does not start"), "skipped"),
        (Figure("f", 3.0, "ms"), ""),
    ],
)
def test_each_figure_is_judged_by_its_budget(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_table_shows_the_budget_beside_the_figure() -> None:
    lines = table([Figure("saves", 12, "saves", 11, exact=True), Figure("ms", 0.5, "ms")])
    assert "12  saves  = 11    MISSED" in lines
    assert lines.splitlines()[-1].endswith("0.5  ms")


def test_figures_are_written_as_json_with_their_verdicts(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write([Figure("a", 2.0, "ratio", 1.0)], path)
    (row,) = json.loads(path.read_text())["figures"]
    assert (row["name"], row["value"], row["budget"], row["verdict"]) == ("a", 2.0, 1.0, "MISSED")


def test_c3_saves_stand_on_the_floor(tmp_path: Path) -> None:
    assert [each.name for each in saves.measure(tmp_path) if each.verdict != "ok"] == []
