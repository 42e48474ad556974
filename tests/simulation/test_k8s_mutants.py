"""Deliberate faults of what speaks to Kubernetes must each be caught, as those of the core."""

from pathlib import Path

import pytest

from wf_core.testing.mutants import Area, Mutant, applied, hunt
from wf_core.testing.mutants.page import read
from wf_k8s.testing.mutants import AREAS, KUBERNETES_AREAS

ALL = [(area, mutant) for area in KUBERNETES_AREAS for mutant in area.mutants]
QUICK = {
    "k8s-own-save-not-known-again": "C4",
    "k8s-delivered-come-again": "I16",
    "k8s-never-guarded": "I14",
    "k8s-success-unguarded": "I14",
}
SEEDS = 600
LAST = read((Path(__file__).parents[2] / "docs" / "mutants.md").read_text())


def _name(each: object) -> str:
    return each.name if isinstance(each, Mutant) else ""


@pytest.mark.parametrize(("name", "rule"), QUICK.items())
def test_a_few_mutants_are_caught_by_the_rule_that_they_break(name: str, rule: str) -> None:
    area, mutant = next(each for each in ALL if each[1].name == name)
    catch = hunt(mutant, 20, area.setup)
    assert catch is not None
    assert catch.rule == rule


@pytest.mark.long
@pytest.mark.parametrize(("area", "mutant"), ALL, ids=_name)
def test_every_mutant_is_caught(area: Area, mutant: Mutant) -> None:
    assert hunt(mutant, SEEDS, area.setup, LAST.get(mutant.name)) is not None


@pytest.mark.parametrize(("area", "mutant"), ALL, ids=_name)
def test_every_mutant_fits_the_code(area: Area, mutant: Mutant) -> None:  # noqa: ARG001
    with applied(mutant):
        pass


def test_no_name_twice() -> None:
    names = [mutant.name for area in AREAS for mutant in area.mutants]
    assert len(set(names)) == len(names)
