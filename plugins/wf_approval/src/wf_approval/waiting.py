"""Which step of a workflow a person means, and why none waits where none does. Pure."""

from collections.abc import Mapping, Sequence

import attrs

from wf_approval.gate import ENDED, OPEN, Gate, gate_of
from wf_core.cli.text import one_line
from wf_core.errors import AuthorError
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import MESSAGE, StepState, Stored


@attrs.frozen
class Gated:
    """A step that waits for an approval."""

    step: str
    gate: Gate


def waiting_for(
    stored: Stored, key: Key, kind: str, step: str | None, sentences: Mapping[str, str]
) -> Gated:
    """The step that waits: `step`, or the only one. `sentences` say what other steps wait for.

    Raises AuthorError where none does, or where it must be said which.
    """
    gates = [
        (spec.name, state)
        for spec, state in zip(stored.workflow.spec.steps, stored.steps, strict=True)
        if spec.step_template.type == kind
    ]
    names = [name for name, _ in gates]
    if not gates:
        raise AuthorError(f"workflow '{key}' has no step of the kind '{kind}'")
    if step is not None and step not in names:
        raise AuthorError(
            f"workflow '{key}' has no step '{step}' of the kind '{kind}'; it has {_listed(names)}"
        )
    chosen = [each for each in gates if step in (None, each[0])]
    open_ = [Gated(name, gate) for name, state in chosen if (gate := _open(state)) is not None]
    if len(open_) == 1:
        return open_[0]
    if open_:
        which = _listed([each.step for each in open_])
        raise AuthorError(f"{which} of workflow '{key}' wait for an approval; say which")
    raise AuthorError("; ".join(_why_not(name, state, sentences) for name, state in chosen))


def must_count(gated: Gated, by: str) -> None:
    """Raise AuthorError where the answer of that person would not count."""
    approvers = gated.gate.approvers
    if approvers and by not in approvers:
        raise AuthorError(
            f"'{by}' is not one of the approvers of step '{gated.step}': {', '.join(approvers)}"
        )


def _open(state: StepState) -> Gate | None:
    waits = state.phase is Phase.RUNNING and state.in_progress
    resource = state.resource
    if not waits or resource is None or resource.status not in OPEN:
        return None
    return gate_of(resource)


def _why_not(name: str, state: StepState, sentences: Mapping[str, str]) -> str:
    resource = state.resource
    if resource is not None and resource.status in ENDED:
        at = state.attributes.get("approvedAt")
        when = f" (at {at})" if at else ""
        said = one_line(str(resource.attributes.get(MESSAGE)))
        return f"step '{name}' has its answer: {said}{when}"
    if name in sentences:
        return f"step '{name}' does not wait for an approval: it {sentences[name]}"
    return f"step '{name}' does not wait for an approval: it is {state.phase}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
