"""Doing it: the run's request, and what to do where an earlier one may have come through."""

from wf_core.kinds import Answer as Outcome
from wf_core.kinds import Fatal, InProgress, Retryable, Success, Throttled
from wf_core.model.phases import Purpose
from wf_http import reading, template
from wf_http.looking import Look
from wf_http.looks import ask, go_on
from wf_http.problems import Lacking, Problem, Unusable
from wf_http.reading import Found
from wf_http.sending import Answer
from wf_http.statuses import Weight, weigh
from wf_http.step import DONE, GOING, OPERATION, Step, failure

_UNKNOWN = (
    "nobody knows whether an earlier attempt took effect, and the run may not be repeated "
    "(repeatable: false)"
)


def run(step: Step) -> Outcome:
    """Send the run, unless an earlier one that may not be repeated may have come through."""
    if step.parameters.repeatable or step.past.is_clear:
        return _send(step)
    return _find_out(step)


def weigh_run(step: Step, answer: Answer) -> Weight:
    """What the status of a run's answer means."""
    call = step.call
    repeated = call.purpose is not Purpose.RUN or call.attempt > 1 or call.interruptions > 0
    return weigh(step.parameters.run, answer.reply.status, undoes=False, repeated=repeated)


def _send(step: Step) -> Outcome:
    step.past.forget_this()
    try:
        answer = step.send_run()
    except Problem as problem:
        if not problem.sent:
            step.past.note_unsent()
        if isinstance(problem, Lacking) and step.is_first:
            raise Fatal(str(problem)) from None
        raise failure(problem) from None
    weight = weigh_run(step, answer)
    if weight is Weight.SUCCESS:
        return _ran(step, answer)
    if answer.refused:
        step.past.note_refusal()
    raise step.refusal(answer, weight)


def _ran(step: Step, answer: Answer) -> Outcome:
    found = step.read(answer)
    check = step.parameters.check
    try:
        operation = step.operation(answer, check)
    except Unusable as problem:
        _keep(step, found, "")
        raise Fatal(f"{answer.said}, but {problem}: give check.url") from None
    if operation is not None:
        resource = reading.resource(step.saved, found, GOING)
        if operation:
            resource.attributes[OPERATION] = operation
        attributes = found.over(step.call.previous.attributes)
        return InProgress(step.after(answer, check), resource, attributes)
    if found.missing:
        said = f"{answer.said}, but {found.missing}"
        if found.passing and step.parameters.repeatable:
            raise Retryable(f"{said}; it is asked again under the same key")
        _keep(step, found, step.created(answer))
        raise Fatal(said)
    resource = reading.resource(step.saved, found, DONE, step.created(answer))
    return Success(resource, found.attributes)


def _keep(step: Step, found: Found, address: str) -> None:
    """Its effect has happened: what is known of it is for the undo."""
    resource = reading.resource(step.saved, found, DONE, address)
    step.call.checkpoint(resource, found.over(step.call.previous.attributes))


def _find_out(step: Step) -> Outcome:
    """The check tells whether an earlier run took effect."""
    check = step.parameters.check
    if check is None or not check.url:
        raise Fatal(f"{_UNKNOWN}; it is undone")
    try:
        looked = ask(step, "check", check, "")
    except template.Unknown as unknown:
        raise Fatal(f"{_UNKNOWN}; the check needs {unknown}, which only its answer tells") from None
    except Problem as problem:
        raise failure(problem) from None
    match looked.look:
        case Look.GONE:
            return _send(step)
        case Look.CANNOT:
            raise Retryable(looked.said)
        case Look.BUSY:
            raise Throttled(looked.said, step.after(looked.answer, check) or 1.0)
        case _:
            return go_on(step, looked, check)
