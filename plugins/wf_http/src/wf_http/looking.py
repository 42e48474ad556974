"""What a look at work that goes on says."""

from enum import Enum
from http import HTTPStatus
from typing import Any, Self

import attrs

from wf_http.exchange import Unreadable
from wf_http.parameters import CheckRequest, Condition
from wf_http.reading import holds, stands
from wf_http.sending import Answer
from wf_http.statuses import GONE, Weight, listed, weigh


class Look(Enum):
    """How the work stands."""

    DONE = "done"
    GOING = "going"
    FAILED = "failed"
    GONE = "gone"
    BUSY = "busy"
    CANNOT = "cannot"
    """The answer says nothing about the work: asked again."""


@attrs.frozen
class Looked:
    """A look and a sentence on it, with the answer or else the document (a signal's value) that it
    was taken from."""

    look: Look
    said: str
    answer: Answer | None = None
    document: Any = None

    @classmethod
    def at(cls, check: CheckRequest, answer: Answer) -> Self:
        """By the answer to the check."""
        try:
            look = _judge(check, answer)
        except Unreadable as error:
            return cls(Look.CANNOT, f"{answer.said}, but {error}", answer)
        said = answer.said
        if look is Look.GOING:
            said += ", and is not done"
        elif look is Look.FAILED and answer.reply.status < 300:
            said += f", and has failed{_where(check.failed)}"
        return cls(look, said, answer)

    @classmethod
    def at_signal(cls, check: CheckRequest, value: Any) -> Self:
        """By a signal, whose value stands for the answer."""
        if check.failed is not None and stands(check.failed, value):
            return cls(Look.FAILED, f"the signal '{check.signal}' says that it failed", None, value)
        done = check.done is None or stands(check.done, value)
        look = Look.DONE if done else Look.GOING
        said = "is done" if done else "is not done"
        return cls(look, f"the signal '{check.signal}' says that it {said}", None, value)


def _judge(check: CheckRequest, answer: Answer) -> Look:
    reply = answer.reply
    weight = weigh(check, reply.status, undoes=False, repeated=True)
    succeeded = weight is Weight.SUCCESS

    def meets(condition: Condition | None) -> bool:
        return condition is not None and holds(condition, reply, succeeded=succeeded)

    if listed(reply.status, check.fatal) or meets(check.failed):
        return Look.FAILED
    if meets(check.done):
        return Look.DONE
    if succeeded:
        going = check.done is not None or reply.status == HTTPStatus.ACCEPTED
        return Look.GOING if going else Look.DONE
    if weight is Weight.THROTTLED:
        return Look.BUSY
    return Look.GONE if reply.status in GONE else Look.CANNOT


def _where(condition: Condition | None) -> str:
    return f" ({condition.pointer})" if condition is not None and condition.pointer else ""
