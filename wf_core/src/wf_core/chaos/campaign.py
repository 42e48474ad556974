"""Many runs: one without faults that is counted, then as many as asked for, until one breaks."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs
from msgspec.structs import replace

from wf_core.adapters.clock import SystemClock
from wf_core.chaos.check import Check, Expect
from wf_core.chaos.lives import Nursery
from wf_core.chaos.plan import UNDISTURBED, plan_of
from wf_core.chaos.story import story
from wf_core.chaos.trial import Trial, World
from wf_core.errors import AuthorError
from wf_core.model.phases import Phase, RollbackMode
from wf_core.model.spec import StepSpec, Workflow

PERIOD = 0.05
"""Seconds between attempts, whatever the document says."""

PATIENCE, TIMES = 60.0, 10.0
"""A life may take PATIENCE seconds and TIMES the time of the whole run without faults."""


@attrs.frozen
class Ask:
    """What an author asks for. `only` is the number of the one run that is to be seen again, and
    `planned_with` the number of boundaries that it was planned with."""

    workflow: Workflow
    runs: int
    check: str | None
    seed: int
    config: str | None = None
    leaves: Path | None = None
    only: int | None = None
    planned_with: int | None = None


class Stopped(Exception):  # noqa: N818
    """The person at the terminal stopped it. `store` is the file of the run that was under way."""

    def __init__(self, store: Path | None) -> None:
        super().__init__("stopped")
        self.store = store


@attrs.frozen
class Violation:
    """A run that broke the promise; `store` is the SQLite file that was kept."""

    run: int
    expected: str
    found: str
    output: str
    store: str
    story: tuple[str, ...]


@attrs.frozen
class Report:
    """How it came out. `boundaries` are those of a run without faults, `reached` how many of them
    a first crash hit; `crashes` and `faults` count by place and by word."""

    seed: int
    asked: int
    held: int
    boundaries: int
    reached: int
    lives: int
    crashes: Mapping[str, int]
    faults: Mapping[str, int]
    endings: Mapping[str, int]
    notes: tuple[str, ...] = ()
    violation: Violation | None = None


@attrs.define
class _Tally:
    held: int = 0
    lives: int = 0
    reached: set[int] = attrs.field(factory=set)
    crashes: Counter[str] = attrs.field(factory=Counter)
    faults: Counter[str] = attrs.field(factory=Counter)
    endings: Counter[str] = attrs.field(factory=Counter)

    def add(self, trial: Trial) -> None:
        self.held += trial.broken is None
        self.lives += trial.lives
        if trial.killed:
            self.reached.add(trial.plan.crash_at)
        for mark in trial.killed:
            moment = f"soon {mark.place}" if mark.after else mark.place
            self.crashes[moment] += 1
        for mark in trial.place.marks():
            if mark.fault is not None:
                self.faults[f"{mark.what} {mark.fault}"] += 1
        self.endings[trial.ended or "no end"] += 1


def campaign(ask: Ask, tell: Callable[[str], None]) -> Report:
    """Run it all; `tell` is given a line of progress. The first violation ends it.

    Raises AuthorError where already the run without faults, or the check after it, fails, and
    Stopped for an interrupt, which leaves the store of the run that it hit.
    """
    base = Path(tempfile.mkdtemp(prefix="wf-chaos-"))
    try:
        with Nursery() as nursery:
            report = _campaign(ask, base, nursery, tell)
    except KeyboardInterrupt:
        raise Stopped(next(base.glob("run-*/wf.db"), None)) from None
    except BaseException:
        shutil.rmtree(base)
        raise
    if report.violation is None:
        shutil.rmtree(base)
    return report


def _campaign(ask: Ask, base: Path, nursery: Nursery, tell: Callable[[str], None]) -> Report:
    workflow = prepared(ask.workflow)
    check = None if ask.check is None else Check(ask.check, workflow.metadata.name)
    if check is not None:
        _require_clean(check)
    tell("a run without faults")
    world = World(workflow, check, nursery, ask.config, ask.leaves)
    world, notes = _measured(world, base / "run-0")
    if ask.planned_with is not None:
        world = attrs.evolve(world, boundaries=ask.planned_with)
    tally, broken = _Tally(), None
    numbers = range(1, ask.runs + 1) if ask.only is None else (ask.only,)
    for number in numbers:
        tell(f"run {number} of {ask.runs}")
        plan = plan_of(ask.seed, number, world.boundaries, workflow.spec.steps)
        trial = Trial.of(world, plan, base / f"run-{number}")
        trial.run()
        tally.add(trial)
        if trial.broken is not None:
            broken = trial
            break
        shutil.rmtree(trial.place.folder)
    return Report(
        seed=ask.seed,
        asked=len(numbers),
        held=tally.held,
        boundaries=world.boundaries,
        reached=len(tally.reached),
        lives=tally.lives,
        crashes=tally.crashes,
        faults=tally.faults,
        endings=tally.endings,
        notes=notes,
        violation=None if broken is None else _violation(broken),
    )


def _violation(trial: Trial) -> Violation:
    broken = trial.broken
    assert broken is not None
    return Violation(
        trial.plan.number,
        broken.expected,
        broken.found,
        broken.output,
        str(trial.place.store),
        tuple(story(trial.place.marks(), trial.killed, trial.history())),
    )


def _require_clean(check: Check) -> None:
    """Raises AuthorError where something shows before anything ran."""
    checked = check(Expect.NONE, Phase.PENDING)
    if checked.code:
        said = f"; it said: {checked.output}" if checked.output else ""
        raise AuthorError(
            f"the check exits with {checked.code} for WF_EXPECT=none before anything ran: clean up "
            f"what is left of an earlier run, or mend the check{said}"
        )


def _measured(world: World, folder: Path) -> tuple[World, tuple[str, ...]]:
    """Count boundaries and time in a run without faults, and look whether the check is one."""
    clock = SystemClock()
    began = clock.now()
    trial = Trial.of(world, UNDISTURBED, folder)
    trial.run()
    if trial.broken is not None:
        said = f"; the check said: {trial.broken.output}" if trial.broken.output else ""
        raise AuthorError(
            f"the run without any fault does not hold. Expected: {trial.broken.expected}. "
            f"Found: {trial.broken.found}{said}"
        )
    if not trial.ended.startswith(Phase.SUCCESS):
        cause = next((move.reason for move in trial.history() if move.reason), "")
        raise AuthorError(
            f"the run without any fault ended {trial.ended}{': ' + cause if cause else ''}; "
            "--chaos needs a workflow that succeeds by itself"
        )
    boundaries = trial.place.crossed()
    shutil.rmtree(folder)
    patience = PATIENCE + TIMES * (clock.now() - began)
    notes = tuple(_notes(world.workflow, trial))
    return attrs.evolve(world, boundaries=boundaries, patience=patience), notes


def _notes(workflow: Workflow, trial: Trial) -> Iterator[str]:
    if trial.blunt:
        yield (
            "the check also exits with 0 for WF_EXPECT=none while all of it shows: it can't tell "
            "all from none, so what held here says little"
        )
    if trial.committed:
        yield (
            "past the pivot nothing is undone: after a Success the check itself must clean up, "
            "so that the next run starts from a clean world"
        )
    left = [s.name for s in workflow.spec.steps if s.rollback is RollbackMode.NONE]
    if left:
        yield f"can't be undone, so the check must bear what they leave: {', '.join(left)}"


def prepared(workflow: Workflow) -> Workflow:
    """The document as it is run: a fresh uid each time, short waits between attempts, no callback
    to anybody, and no suspension."""
    spec = workflow.spec
    steps = tuple(_hasty(step) for step in spec.steps)
    return replace(
        workflow,
        metadata=replace(workflow.metadata, uid=""),
        spec=replace(spec, steps=steps, callback=None, suspend=False),
    )


def _hasty(step: StepSpec) -> StepSpec:
    policy = step.step_template.retry_policy
    hasty = replace(
        policy,
        run_retry_period_seconds=min(policy.run_retry_period_seconds, PERIOD),
        rollback_retry_period_seconds=min(policy.rollback_retry_period_seconds, PERIOD),
        max_period_seconds=min(policy.max_period_seconds, PERIOD),
    )
    return replace(step, step_template=replace(step.step_template, retry_policy=hasty))
