"""Looking: at a run or an undo that goes on, and at a finished step."""

from wf_core.kinds import Answer as Outcome
from wf_core.kinds import CannotLook, Fatal, InProgress, Retryable, Success
from wf_core.model.phases import Purpose
from wf_http import reading, template
from wf_http.looking import Look, Looked
from wf_http.parameters import CheckRequest
from wf_http.problems import Problem, Unusable
from wf_http.reading import Found
from wf_http.sending import Order
from wf_http.step import DONE, GOING, OPERATION, UNDO_OPERATION, Step


def look(step: Step) -> Outcome:
    """Look at a run, or an undo, that goes on."""
    if step.call.purpose is Purpose.ROLLBACK:
        check = step.parameters.rollback_check or CheckRequest()
        name, kept = "rollbackCheck", UNDO_OPERATION
    else:
        check = step.parameters.check or CheckRequest()
        name, kept = "check", OPERATION
    signals = step.call.signals
    if check.signal and check.signal in signals:
        looked = Looked.at_signal(check, signals[check.signal])
    elif check.signal and not check.url:
        return InProgress(check.period_seconds)
    else:
        looked = _asked(step, name, check, str(step.saved.attributes.get(kept, "")))
    if step.call.purpose is Purpose.RUN:
        return go_on(step, looked, check)
    match looked.look:
        case Look.DONE:
            return None
        case Look.GOING | Look.BUSY:
            return InProgress(step.after(looked.answer, check))
        case _:
            raise _not_done(looked, check)


def watch(step: Step) -> Outcome:
    """Look at a finished step, where a check says how. Only work that has failed for good undoes
    the workflow: a check that is itself broken must not."""
    check = step.parameters.check
    if check is None or not check.url:
        return None
    try:
        looked = ask(step, "check", check, "")
    except template.Unknown as unknown:
        raise CannotLook(f"check: it needs {unknown}, which is not known") from None
    except Problem as problem:
        raise CannotLook(str(problem)) from None
    match looked.look:
        case Look.DONE:
            found = _found(step, looked)
            attributes = found.over(step.call.previous.attributes)
            return Success(reading.resource(step.saved, found, DONE), attributes)
        case Look.GOING:
            raise Retryable(looked.said)
        case Look.BUSY:
            raise CannotLook(looked.said)
        case _:
            raise _not_done(looked, check)


def ask(step: Step, name: str, check: CheckRequest, base: str) -> Looked:
    """Send a check; `base` is where it goes without a URL of its own. Raises a Problem, and
    template.Unknown."""
    wanted = reading.wants_body(step.parameters, check.done, check.failed)
    order = Order(name, check, step.call.key, step.own, base, step.most if wanted else 0)
    return Looked.at(check, step.sender.send(order))


def go_on(step: Step, looked: Looked, check: CheckRequest) -> Outcome:
    """What a look at a run means."""
    match looked.look:
        case Look.DONE:
            return _done(step, looked)
        case Look.GOING:
            found = _found(step, looked)
            resource = reading.resource(step.saved, found, GOING)
            attributes = found.over(step.call.previous.attributes)
            return InProgress(step.after(looked.answer, check), resource, attributes)
        case Look.BUSY:
            return InProgress(step.after(looked.answer, check))
        case _:
            raise _not_done(looked, check)


def _asked(step: Step, name: str, check: CheckRequest, base: str) -> Looked:
    try:
        return ask(step, name, check, base)
    except template.Unknown as unknown:
        raise Fatal(f"{name}: it needs {unknown}, which no answer told") from None
    except Unusable as problem:
        raise Fatal(str(problem)) from None
    except Problem as problem:
        raise CannotLook(str(problem)) from None


def _done(step: Step, looked: Looked) -> Outcome:
    found = _found(step, looked)
    attributes = found.over(step.call.previous.attributes)
    resource = reading.resource(step.saved, found, DONE)
    # What the run's own answer told need not be told again.
    if any(name not in attributes for name in step.parameters.attributes):
        if found.passing:
            raise CannotLook(f"{looked.said}, but {found.missing}")
        step.call.checkpoint(resource, attributes)
        raise Fatal(f"{looked.said}, but {found.missing}")
    return Success(resource, attributes)


def _found(step: Step, looked: Looked) -> Found:
    if looked.answer is not None:
        return step.read(looked.answer)
    return reading.from_document(step.parameters, looked.document)


def _not_done(looked: Looked, check: CheckRequest) -> Exception:
    """What to raise where the work has failed, is gone, or can't be looked at."""
    match looked.look:
        case Look.CANNOT:
            return CannotLook(looked.said)
        case Look.FAILED if check.failed_is == "fatal":
            return Fatal(looked.said)
        case _:
            return Retryable(looked.said)
