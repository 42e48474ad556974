"""What runs, looks and undos of one step have in common."""

from urllib.parse import unquote, unquote_plus

import attrs

from wf_core.callbacks.retry_after import seconds
from wf_core.kinds import Fatal, Retryable, StepCall, Throttled
from wf_core.model.phases import Purpose
from wf_core.model.state import Resource
from wf_http import reading, template
from wf_http.ceiling import ceiling
from wf_http.parameters import CheckRequest, HttpParameters
from wf_http.past import Past, is_note
from wf_http.problems import Problem, Unusable
from wf_http.reading import Found
from wf_http.sending import Answer, Order, Sender
from wf_http.statuses import Weight
from wf_http.targets import beside
from wf_http.template import Lookup

ACCEPTED = 202
SOONEST = 1.0
LATER = 5.0
"""Seconds until a service is asked again: at least, and where it is busy and does not say."""

OPERATION = "operation"
UNDO_OPERATION = "undoOperation"
"""Attributes of the step's resource: where a run, and an undo, that goes on is looked at."""

DONE = "Done"
GOING = "InProgress"
"""The status of a step's resource, where the service tells none."""


@attrs.frozen
class Step:
    """The step of one call. `now` is epoch seconds."""

    call: StepCall
    sender: Sender
    now: float

    @property
    def parameters(self) -> HttpParameters:
        """As the document has them."""
        found: HttpParameters = self.call.parameters
        return found

    @property
    def past(self) -> Past:
        """What is known of earlier attempts."""
        return Past(self.call)

    @property
    def is_first(self) -> bool:
        """Whether this is the first call of the step's run: nothing was done before it."""
        call = self.call
        return call.purpose is Purpose.RUN and call.attempt == 1 and call.interruptions == 0

    @property
    def saved(self) -> Resource:
        """The resource as it was last saved; empty where nothing was made."""
        found = self.call.previous.resource
        return Resource() if found is None or is_note(found) else found

    @property
    def own(self) -> Lookup:
        """Finds what the step itself has made."""
        return template.own(self.call.run_key, self.call.previous.attributes, self.saved)

    @property
    def most(self) -> int:
        """Bytes of an answer that are read: a stored document may ask for more than is allowed."""
        return min(self.parameters.max_response_bytes, ceiling())

    def send_run(self) -> Answer:
        """Send the run under its key. Raises a Problem."""
        key = self.call.run_key
        most = self.most if reading.wants_body(self.parameters) else 0
        order = Order("run", self.parameters.run, key, template.own(key, {}, None), most=most)
        try:
            return self.sender.send(order)
        except template.Unknown as unknown:
            raise Unusable(f"run: it needs {unknown}, which is not known before it") from None

    def read(self, answer: Answer) -> Found:
        """What the answer says, without anything secret."""
        found = reading.read(self.parameters, answer.reply)
        hide = self.sender.secrets.hide_all
        return attrs.evolve(
            found, attributes=hide(dict(found.attributes)), fields=hide(dict(found.fields))
        )

    def location(self, answer: Answer) -> str:
        """The answer's Location, whole; empty where there is none.

        What it names is asked, or undone, with the step's credentials, so it must be at the same
        host; and it is saved, so no secret may be in it. Raises Unusable.
        """
        header = answer.reply.headers.get("location")
        if not header:
            return ""
        url = str(beside(answer.target, header).url)
        hide = self.sender.secrets.hide
        if any(hide(each) != each for each in (url, unquote(url), unquote_plus(url))):
            raise Unusable("the server's Location holds a secret, and is not used")
        return url

    def created(self, answer: Answer) -> str:
        """The Location where it can be used, empty otherwise."""
        try:
            return self.location(answer)
        except Unusable:
            return ""

    def operation(self, answer: Answer, check: CheckRequest | None) -> str | None:
        """Where work that goes on is looked at: the Location, or empty where `check` says itself.

        None: a success is the end. Raises Unusable where a look is needed and can't be had.
        """
        waits = check is not None and (check.done is not None or bool(check.signal))
        if not waits and answer.reply.status != ACCEPTED:
            return None
        if check is not None and (check.url or check.signal):
            return self.created(answer)
        return self.location(answer) or ("" if waits else None)

    def after(self, answer: Answer | None, check: CheckRequest | None) -> float | None:
        """Seconds until the next look; None leaves it to the engine."""
        asked = None if answer is None else self.retry_after(answer)
        if asked is not None:
            return max(SOONEST, asked)  # a server that says 0 must not have us ask without pause
        return None if check is None else check.period_seconds

    def retry_after(self, answer: Answer) -> float | None:
        """What the server asks for."""
        return seconds(answer.reply.headers.get("retry-after"), self.now)

    def refusal(self, answer: Answer, weight: Weight) -> Exception:
        """What to raise for an answer that is no success."""
        match weight:
            case Weight.THROTTLED:
                after = self.retry_after(answer)
                return Throttled(answer.said, LATER if after is None else after)
            case Weight.RETRYABLE:
                return Retryable(answer.said)
            case _:
                return Fatal(answer.said)


def failure(problem: Problem) -> Exception:
    """What to raise for a request without an answer."""
    return (Fatal if isinstance(problem, Unusable) else Retryable)(str(problem))
