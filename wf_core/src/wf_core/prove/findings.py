"""Where a saga can end, in words: what would stay behind, and which undo that fails blocks what."""

from collections.abc import Callable, Sequence

import attrs

from wf_core.model.phases import Phase, RollbackMode, Undo
from wf_core.model.spec import Workflow
from wf_core.prove.search import Bound, End, Found, search
from wf_core.prove.world import Effect, Outcomes

_LEFT = (Effect.MAYBE, Effect.DONE)


@attrs.frozen
class Ending:
    """One way to end: `left` are steps whose effect stays, `stuck` those whose undo failed."""

    phase: Phase
    left: tuple[str, ...]
    stuck: tuple[str, ...]
    story: tuple[str, ...]


@attrs.frozen
class Report:
    """The answer of a search. `sound` is False where the engine itself broke a rule.

    `complete` is False where the search stopped at its bound: then endings may be missing.
    `design_faults` are what the author should change, `findings` what the author should know.
    """

    states: int
    edges: int
    complete: bool
    sound: bool
    endings: tuple[Ending, ...]
    design_faults: tuple[str, ...]
    findings: tuple[str, ...]
    broken: tuple[str, ...] = ()


def examine(
    workflow: Workflow, bound: Bound, progress: Callable[[Found], None] | None = None
) -> Report:
    """Search every failure, every failure of an undo and every crash point of `workflow`."""
    found = search(workflow, Outcomes(), bound, progress)
    names = [step.name for step in workflow.spec.steps]
    endings = tuple(_ending(end, names) for end in found.ends.values())
    return Report(
        found.states,
        found.edges,
        found.complete,
        not found.violations,
        endings,
        tuple(_stays(workflow, found)),
        tuple(_blocks(workflow, found)),
        tuple(
            f"{violation.rule}: {violation.message}; {' -> '.join(story)}"
            for violation, story in found.violations
        ),
    )


def _ending(end: End, names: Sequence[str]) -> Ending:
    undone = end.phase is not Phase.SUCCESS
    left = [
        name for name, effect in zip(names, end.effects, strict=True) if undone and effect in _LEFT
    ]
    stuck = [
        name
        for name, step in zip(names, end.state.steps, strict=True)
        if step.phase is Phase.FAILED
    ]
    return Ending(end.phase, tuple(left), tuple(stuck), end.story)


def _stays(workflow: Workflow, found: Found) -> list[str]:
    """Steps that can't be undone, and what can fail after them."""
    lines = []
    for i, spec in enumerate(workflow.spec.steps):
        if spec.rollback is not RollbackMode.NONE:
            continue
        after = [
            culprit
            for end in found.ends.values()
            if end.state.steps[i].undo is Undo.IRREVERSIBLE and end.effects[i] is Effect.DONE
            for culprit in _culprits(end, workflow)
            if culprit != spec.name
        ]
        if after:
            who = " or ".join(f"'{name}'" for name in dict.fromkeys(after))
            lines.append(
                f"'{spec.name}' can't be undone and stays when {who} fails after it: "
                f"let it depend on what may fail, or make it, or a step before it, the pivot"
            )
    return lines


def _blocks(workflow: Workflow, found: Found) -> list[str]:
    """Undos that fail, and what then stays because of them."""
    names = [step.name for step in workflow.spec.steps]
    blocked: dict[str, dict[str, None]] = {}
    for end in found.ends.values():
        failed = [i for i, step in enumerate(end.state.steps) if step.phase is Phase.FAILED]
        if len(failed) != 1:
            continue
        held = blocked.setdefault(names[failed[0]], {})
        for i, step in enumerate(end.state.steps):
            if step.phase in (Phase.SUCCESS, Phase.RUNNING):
                held[names[i]] = None
    lines = []
    for name in names:
        if name in blocked:
            kept = [each for each in names if each in blocked[name]]
            what = f" and keeps {_listed(kept)} from being undone" if kept else ""
            lines.append(f"an undo of '{name}' that fails for good leaves it as it is{what}")
    return lines


def _culprits(end: End, workflow: Workflow) -> list[str]:
    """The steps whose run failed for good in the story of an end."""
    return [
        spec.name
        for spec, step in zip(workflow.spec.steps, end.state.steps, strict=True)
        if step.failed
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
