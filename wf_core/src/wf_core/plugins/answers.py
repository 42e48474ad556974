"""From what a hook answered or raised to an outcome (semantics B6)."""

import math
import traceback
from collections.abc import Mapping
from types import TracebackType

import attrs

from wf_core.kinds import CannotLook, Fatal, InProgress, Retryable, Success, Throttled
from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_core.saga.sizes import MEASURED, beyond

LEAST_THROTTLE = 1.0
"""Seconds. A throttled attempt is not counted, so it must not come back at once."""

_OURS = ("wf_core.plugins", "pluggy")


class WrongAnswer(TypeError):  # noqa: N818
    """What a hook gave back is not what hooks may give back; str() says what it was."""


def outcome_of(answer: object) -> Outcome:
    """The outcome of an answer; raises WrongAnswer.

    Values are copied: the hook may go on changing what it gave.
    """
    if isinstance(answer, Success):
        return Succeeded(_resource(answer.resource), _attributes(answer.attributes))
    if isinstance(answer, InProgress):
        resource, attributes = _resource(answer.resource), _attributes(answer.attributes)
        waits = _truth(answer.waits_for_person)
        return Progressing(_seconds(answer.poll_after), resource, attributes, waits)
    if answer is None:  # the kind's own None was turned into Success by the dispatcher
        raise WrongAnswer("gave back nothing: a wrapper must return what its `yield` gave it")
    raise WrongAnswer(
        f"gave back {_type(answer)}; it may give back None, Success(...) or InProgress(...)"
    )


def failure_of(error: BaseException) -> Failure:
    """The outcome of an exception. Whatever is not one of ours is retryable and shows its trace."""
    match error:
        case Throttled():
            return Failure(Severity.THROTTLED, _text(error), after=_at_least(error.after))
        case Retryable():
            return Failure(Severity.RETRYABLE, _text(error))
        case Fatal():
            return Failure(Severity.FATAL, _text(error))
        case CannotLook():
            return Failure(Severity.CANNOT_LOOK, _text(error))
    message = f"{type(error).__name__}: {error}".removesuffix(": ")
    return Failure(Severity.RETRYABLE, message, trace=_trace(error))


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _at_least(after: object) -> float:
    if isinstance(after, int | float) and math.isfinite(after):
        return max(LEAST_THROTTLE, float(after))
    return LEAST_THROTTLE


def _trace(error: BaseException) -> str:
    """The traceback, from the plugin's first line on: the frames before it are ours."""
    start: TracebackType | None = error.__traceback__
    inner = start
    while inner is not None and _is_ours(inner):
        inner = inner.tb_next
    return "".join(traceback.format_exception(type(error), error, inner or start))


def _is_ours(frame: TracebackType) -> bool:
    return str(frame.tb_frame.f_globals.get("__name__", "")).startswith(_OURS)


def _type(value: object) -> str:
    return f"a {type(value).__name__}"


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and math.isfinite(value) and value >= 0:
        return float(value)
    raise WrongAnswer(f"gave back poll_after={value!r}; it takes seconds, 0 or more, or None")


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise WrongAnswer(f"gave back waits_for_person={value!r}; it takes True or False")


def _resource(value: object) -> Resource | None:
    if value is None:
        return None
    if not isinstance(value, Resource):
        raise WrongAnswer(f"gave back {_type(value)} as resource; it takes a Resource or None")
    for field in ("status", "id", "name", "address"):
        if not isinstance(getattr(value, field), str):
            raise WrongAnswer(
                f"gave back {_type(getattr(value, field))} as the resource's {field}; it takes text"
            )
    attributes = _attributes(value.attributes, "the resource's attributes")
    return Resource(value.status, value.id, value.name, value.address, attributes or {})


def _attributes(value: object, where: str = "attributes") -> dict[str, Json] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise WrongAnswer(f"gave back {_type(value)} as {where}; they take a dict")
    if beyond(value, MEASURED):
        return dict(value)  # it is dropped unread (semantics C7): no copy of all it holds is made
    try:
        copied: dict[str, Json] = plain(value, where)
    except RecursionError:
        raise WrongAnswer(f"gave back {where} that are nested too deeply, or in a circle") from None
    return copied


def plain(value: object, where: str) -> Json:
    """A copy of a JSON value; raises WrongAnswer with the place of what JSON can't carry."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list | tuple):
        return [plain(each, f"{where}[{n}]") for n, each in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise WrongAnswer(f"gave back the key {key!r} in {where}; keys are text")
        return {key: plain(each, f"{where}.{key}") for key, each in value.items()}
    shown = repr(value) if isinstance(value, float) else _type(value)
    raise WrongAnswer(f"gave back {shown} at {where}, which JSON can't carry")


@attrs.frozen
class Blame:
    """Who is to be named for a wrong answer."""

    who: str

    def failure(self, hook: str, error: WrongAnswer) -> Failure:
        """The outcome of a wrong answer: no retry makes it right."""
        return Failure(Severity.FATAL, f"{self.who}: {hook} {error}")
