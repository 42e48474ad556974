"""Undoing it, also where nobody knows what the run did."""

from collections.abc import Mapping

import attrs
import msgspec

from wf_core.kinds import Answer as Outcome
from wf_core.kinds import Fatal, InProgress, Retryable
from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_http import reading, template
from wf_http.parameters import RollbackRequest
from wf_http.problems import Problem, Unusable
from wf_http.running import weigh_run
from wf_http.sending import Answer, Order
from wf_http.statuses import Weight, weigh
from wf_http.step import DONE, UNDO_OPERATION, Step, failure


@attrs.frozen
class _Made:
    """What the run made, as far as its answer was heard."""

    resource: Resource
    attributes: Mapping[str, Json]


def rollback(step: Step, undo: RollbackRequest) -> Outcome:
    """Send the undo. Where it needs what only the run's answer tells, and there was none, the run
    is repeated under its key first."""
    if step.past.never_sent:
        return None
    made = _Made(step.saved, step.call.previous.attributes)
    try:
        answer = _send(step, undo, made)
    except template.Unknown as unknown:
        learned = _learn(step, unknown)
        if learned is None:
            return None
        made = learned
        try:
            answer = _send(step, undo, made)
        except template.Unknown as still:
            raise _untold(still, "the run's answer does not hold it") from None
    weight = weigh(undo, answer.reply.status, undoes=True, repeated=True)
    if weight is not Weight.SUCCESS:
        raise step.refusal(answer, weight)
    check = step.parameters.rollback_check
    try:
        operation = step.operation(answer, check)
    except Unusable as problem:
        raise Fatal(f"{answer.said}, but {problem}: give rollbackCheck.url") from None
    if operation is None:
        return None
    resource = made.resource
    if operation:
        kept = {**resource.attributes, UNDO_OPERATION: operation}
        resource = msgspec.structs.replace(resource, attributes=kept)
    return InProgress(step.after(answer, check), resource)


def _send(step: Step, undo: RollbackRequest, made: _Made) -> Answer:
    find = template.own(step.call.run_key, made.attributes, made.resource)
    order = Order("rollback", undo, step.call.key, find, made.resource.address)
    try:
        return step.sender.send(order)
    except Problem as problem:
        raise failure(problem) from None


def _learn(step: Step, unknown: template.Unknown) -> _Made | None:
    """What the run made, from the answer to the same request under the same key; None where it
    surely made nothing. A refusal of the repeated request is not proof of that: the token may have
    expired since, or the name be taken by what the first one made."""
    call = step.call
    if step.past.made_nothing:
        return None
    if not step.parameters.repeatable:
        raise _untold(unknown, "the run may not be repeated to learn it (repeatable: false)")
    call.log(f"the undo needs {unknown}: the run is repeated under its key, to learn it")
    try:
        answer = step.send_run()
    except Unusable as problem:
        raise _untold(unknown, str(problem)) from None
    except Problem as problem:
        raise failure(problem) from None
    weight = weigh_run(step, answer)
    if weight is Weight.FATAL:
        raise _untold(unknown, answer.said)
    if weight is not Weight.SUCCESS:
        raise step.refusal(answer, weight)
    found = step.read(answer)
    if found.missing and found.passing:
        raise Retryable(f"{answer.said}, but {found.missing}")
    resource = reading.resource(step.saved, found, DONE, step.created(answer))
    made = _Made(resource, found.over(call.previous.attributes))
    call.checkpoint(made.resource, made.attributes)
    return made


def _untold(unknown: template.Unknown, why: str) -> Fatal:
    return Fatal(
        f"the undo needs {unknown}, which no answer told: {why}; find out whether the run took "
        "effect, undo that by hand, then `wf mark-rolled-back`"
    )
