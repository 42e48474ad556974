"""A failing world is made small, and its story can be told again from a file."""

from pathlib import Path

import pytest

from wf_core.model.phases import Hook
from wf_core.testing.simulation import from_json, generate, observer, play, shrink, to_json
from wf_core.testing.simulation.__main__ import main
from wf_core.testing.simulation.campaign import story
from wf_core.testing.simulation.story import Called, Story
from wf_core.testing.simulation.trace import Violation


def i99_no_third_step(_: Story, called: Called) -> str | None:
    """A rule that large worlds break."""
    third = called.call.step == "s2" and called.call.hook is Hook.RUN
    return "a third step runs" if third else None


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "ON_CALL", (i99_no_third_step,))


def _first_broken() -> Violation:
    for seed in range(100):
        try:
            play(generate(seed))
        except Violation as violation:
            return violation
    raise AssertionError("no seed breaks it")


def test_a_world_survives_its_json() -> None:
    for seed in range(20):
        assert from_json(to_json(generate(seed))) == generate(seed)


@pytest.mark.usefixtures("broken")
def test_what_does_not_matter_is_taken_out() -> None:
    violation = _first_broken()
    world = generate(violation.seed)
    smaller, again = shrink(world, violation)
    assert again.rule == "I99"
    assert (smaller.faults, smaller.happenings, smaller.hooks) == ((), (), {})
    steps = [s.name for each in smaller.submissions for s in each.workflow.spec.steps]
    assert steps == ["s2"]


@pytest.mark.usefixtures("broken")
def test_the_story_names_a_command_that_tells_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    violation = _first_broken()
    told = story(generate(violation.seed), violation, tmp_path)
    path = tmp_path / f"seed-{violation.seed}.json"
    assert f"--world {path}" in told
    assert "I99" in told
    assert main(["--world", str(path)]) == 1
    assert "a third step runs" in capsys.readouterr().out
