"""The simulation is itself tested: deliberate faults of the engine must each be caught.

`make mutants` lets all of them loose and writes docs/mutants.md.
"""

from pathlib import Path

import pytest

from wf_core.saga import run
from wf_core.saga.backoff import watch_delay
from wf_core.testing.mutants import MUTANTS, Catch, Edit, Mutant, Stale, applied, by_name, hunt
from wf_core.testing.mutants.page import page, read

QUICK = {
    "step-starts-with-upstream": "I1",
    "undone-before-dependents": "I3",
    "success-over-steps-begun": "I12",
    "effects-before-the-save": "C5",
    "keys-collide": "I7",
    "torn-save": "I8",
    "outbox-not-kept": "I9",
}
SEEDS = 2000
LAST = read((Path(__file__).parents[2] / "docs" / "mutants.md").read_text())


@pytest.mark.parametrize(("name", "rule"), QUICK.items())
def test_a_few_mutants_are_caught_by_the_rule_that_they_break(name: str, rule: str) -> None:
    catch = hunt(by_name(name), 40)
    assert catch is not None
    assert catch.rule == rule


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_caught(mutant: Mutant) -> None:
    assert hunt(mutant, SEEDS, last=LAST.get(mutant.name)) is not None


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_fits_the_code(mutant: Mutant) -> None:
    with applied(mutant):
        pass


def test_there_are_enough_of_them_and_no_name_twice() -> None:
    simulated = [mutant.name for mutant in MUTANTS if not mutant.suite]
    assert len(simulated) >= 30
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_a_mutant_is_gone_afterwards() -> None:
    code = run.start.__code__
    with applied(by_name("status-ignored")):
        assert run.start.__code__ is not code
    assert run.start.__code__ is code


def test_edits_of_one_function_add_up() -> None:
    target = "wf_core.saga.backoff:watch_delay"
    both = Mutant("both", "", (Edit(target, "1 - JITTER", "3"), Edit(target, "+ 2", "+ 0")))
    with applied(both):
        assert watch_delay(10.0, 0.5) == 30.0
    assert watch_delay(10.0, 0.5) == 10.0


def test_a_mutant_whose_text_is_not_there_says_so() -> None:
    stale = Mutant("stale", "", (Edit("wf_core.saga.run:start", "no such text", ""),))
    with (
        pytest.raises(Stale, match=r"wf_core\.saga\.run:start has 'no such text' 0 times"),
        applied(stale),
    ):
        pass


def test_a_mutant_of_what_is_not_there_says_so() -> None:
    stale = Mutant("stale", "", (Edit("wf_core.saga.run:gone", "", ""),))
    with pytest.raises(Stale, match="gone"), applied(stale):
        pass


def test_one_that_does_no_harm_survives() -> None:
    harmless = Mutant(
        "harmless", "", (Edit("wf_core.saga.run:start", "step.failed", "step.failed"),)
    )
    assert hunt(harmless, 3) is None


def test_a_suite_that_hangs_has_caught_its_mutant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = tmp_path / "test_that_never_ends.py"
    suite.write_text("import threading\ndef test_it(): threading.Event().wait()\n")
    edit = Edit("wf_core.saga.run:start", "step.failed", "step.failed")
    monkeypatch.setitem(hunt.__globals__, "SUITE_SECONDS", 1.0)
    catch = hunt(Mutant("endless", "", (edit,), (str(suite),)), 1)
    assert catch == Catch(str(suite), "the suite did not end in 1 s")


def test_what_caught_a_mutant_the_last_time_is_tried_first() -> None:
    mutant = by_name("step-starts-with-upstream")
    last = Catch("", "", 1)
    assert hunt(mutant, 0) is None
    caught = hunt(mutant, 0, last=last)
    assert caught is not None
    assert (caught.rule, caught.seed) == ("I1", 1)


def test_a_test_that_is_gone_is_followed_by_its_whole_suite(tmp_path: Path) -> None:
    suite = tmp_path / "test_one.py"
    suite.write_text("def test_it(): assert False\n")
    edit = Edit("wf_core.saga.run:start", "step.failed", "step.failed")
    mutant = Mutant("any", "", (edit,), (str(suite),))
    caught = hunt(mutant, 0, last=Catch(f"{suite}::test_gone", ""))
    assert caught is not None
    assert caught.rule.endswith("::test_it")


def test_the_page_is_read_as_it_was_written() -> None:
    names = [mutant.name for mutant in MUTANTS]
    caught = dict.fromkeys(names, Catch("I10", "", 7)) | {
        names[0]: Catch("tests/a.py::test_b[c-1]", ""),
        names[1]: None,
    }
    assert read(page(caught, 1)) == {name: each for name, each in caught.items() if each}


def test_the_page_names_survivors() -> None:
    told = page({mutant.name: None for mutant in MUTANTS}, 1)
    assert f"0 of {len(MUTANTS)} are caught" in told
    assert told.count("**nothing**") == len(MUTANTS)
