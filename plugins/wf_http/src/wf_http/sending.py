"""Sending one request of a step, redirects included, and saying how it went without its secrets."""

import attrs

from wf_core.addresses import Allowed
from wf_core.kinds import StepCall
from wf_http.building import Builder
from wf_http.connection import connect
from wf_http.exchange import EXCERPT, Message, Reply, exchange
from wf_http.parameters import HttpParameters, Request
from wf_http.patience import Patience, TimeIsUp
from wf_http.problems import Problem, Unsent, Unusable
from wf_http.secrets import ReadSecret, Secrets
from wf_http.statuses import certain, words
from wf_http.targets import MOST_HOPS, Target, redirected
from wf_http.template import Lookup
from wf_http.tls import context_of

_SHOWN = 300


@attrs.frozen
class Answer:
    """An answer, where it came from, and `said`: the sentence on it, fit to be shown.

    `refused`: it says for sure that the request had no effect.
    """

    reply: Reply
    target: Target
    said: str
    refused: bool


@attrs.frozen
class Order:
    """What to send: `name` is the parameter the request stands in, `base` the URL it goes to where
    it has none, `most` the bytes of a successful answer that are wanted."""

    name: str
    request: Request
    key: str
    find: Lookup
    base: str = ""
    most: int = 0


class Sender:
    """Sends the requests of one call. What it says, raises and logs holds none of its secrets."""

    def __init__(self, call: StepCall, allowed: Allowed, read: ReadSecret) -> None:
        parameters: HttpParameters = call.parameters
        self._call = call
        self._parameters = parameters
        self._allowed = allowed
        self.secrets = Secrets(parameters.secrets, call.namespace, read)

    def send(self, order: Order) -> Answer:
        """Send it. Raises a Problem, and template.Unknown."""
        what = f"{order.name}: {order.request.method}"
        patience = Patience(order.request.timeout_seconds, self._call.cancelled)
        try:
            message, target = self._builder.build(order.request, order.key, order.find, order.base)
            what = f"{what} {target.shown}"
            asked = message.method
            reply, message, target = self._follow(message, target, order, patience)
        except Problem as problem:
            # The one place that says whether it may have had its effect.
            problem.sent = patience.sent
            sentence = self.secrets.hide(f"{what}: {problem}")
            self._call.log(sentence)
            problem.args = (sentence,)
            raise
        said = self.secrets.hide(f"{what} answered {words(reply.status)}")
        self._call.log(said)
        # After 303 it was done, and what answered is the look at its result.
        refused = message.method == asked and certain(reply.status)
        return Answer(reply, target, said + self._excerpt(reply), refused)

    @property
    def _builder(self) -> Builder:
        return Builder(self._parameters, self.secrets, self._call.trace)

    def _follow(
        self, message: Message, target: Target, order: Order, patience: Patience
    ) -> tuple[Reply, Message, Target]:
        for _ in range(MOST_HOPS + 1):
            reply = self._once(message, target, order.most, patience)
            following = redirected(message, target, reply.status, reply.headers.get("location"))
            if following is None:
                return reply, message, target
            message, target = following
        raise Unusable(f"it was redirected more than {MOST_HOPS} times")

    def _once(self, message: Message, target: Target, most: int, patience: Patience) -> Reply:
        tls = None
        if target.secure:
            context = context_of(self._parameters.tls, self._call.namespace)
            tls = (context, self._parameters.tls.server_name or target.host)
        try:
            connection = connect(
                *(target.host, target.port, tls, self._allowed, patience, self._call.namespace)
            )
        except TimeIsUp:
            raise Unsent(f"no connection within {patience.seconds:g} s") from None
        with connection:
            return exchange(
                connection,
                message,
                patience,
                lambda status: most if status < 300 else max(most, EXCERPT),
            )

    def _excerpt(self, reply: Reply) -> str:
        """How the body of an error begins: services say there what is wrong."""
        if reply.status < 300:
            return ""
        text = self.secrets.hide(reply.content.decode("utf-8", "replace"))
        text = " ".join(text.split())
        if not text:
            return ""
        return f": {text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}"
