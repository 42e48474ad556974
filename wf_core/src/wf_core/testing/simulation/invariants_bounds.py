"""E8 and E9: nothing comes sooner than the operator's floors say, and ceilings are for new
documents alone. Each gives what is wrong, or None."""

from collections.abc import Iterator

from wf_core.config.values import Ceilings
from wf_core.model.outcomes import Failure, Severity
from wf_core.model.phases import Hook, Phase, Purpose, RequestType
from wf_core.model.spec import RetryPolicy
from wf_core.testing.simulation.story import Called, Save, Story
from wf_core.testing.simulation.world import BoundsSpec

_EXACT = 1e-6
_LEAST_LOOK = 0.1
"""E8, said once more."""
CEILING = "(ceilings."
"""In what a document is refused with that asks for more than a ceiling allows."""
_BY_HAND = (RequestType.RETRY_RUN, RequestType.RETRY_ROLLBACK)


def e08_a_retry_waits_for_the_floor(bounds: BoundsSpec, story: Story, called: Called) -> str | None:
    """E8: an attempt that follows a failed one begins no sooner than the floor after it, as far as
    one process saw both. A person's retry comes at once, and a throttled attempt has not failed."""
    purpose = called.call.purpose
    if called.call.hook is Hook.SYNC or any(type_ in _BY_HAND for type_ in story.asked.values()):
        return None
    before = story.undos(called.i) if purpose is Purpose.ROLLBACK else story.runs(called.i)
    last = _last_of_its_owner(before, called)
    if last is None or last.stuck or last.ended is None:
        return None
    throttled = isinstance(last.outcome, Failure) and last.outcome.severity is Severity.THROTTLED
    if throttled or called.call.attempt <= last.call.attempt:
        return None
    waited = called.began - last.ended
    if waited < bounds.retry_period - _EXACT:
        return f"{called.name} {waited:g} s after {last.name}, and the floor is {bounds}"
    return None


def e08_a_look_leaves_a_while_to_the_last(story: Story, called: Called) -> str | None:
    """E8: a look at a step begins 0.1 s after the last of its owner ended, at the soonest."""
    if called.call.hook is not Hook.SYNC:
        return None
    purpose = called.call.purpose
    looks = [
        each
        for each in story.calls[called.i]
        if each.call.hook is Hook.SYNC and each.call.purpose is purpose
    ]
    last = _last_of_its_owner(looks, called)
    if last is None or last.stuck or last.ended is None:
        return None
    waited = called.began - last.ended
    if waited < _LEAST_LOOK - _EXACT:
        return f"{called.name} {waited:g} s after the last look"
    return None


def e09_ceilings_are_for_new_documents(ceilings: Ceilings, story: Story, save: Save) -> str | None:
    """E9: what asks for more than the process allows does not begin there; what has begun goes on.
    `ceilings` are those of the process that saved."""
    before, after = save.before.head, save.after.head
    if before.phase is not Phase.PENDING:
        refused = CEILING in (after.error or "") and after.error != before.error
        return f"it is {before.phase}, and refused: {after.error}" if refused else None
    if after.phase is Phase.RUNNING and _above(ceilings, story):
        return f"it began, and asks for more than {ceilings}"
    return None


def met_at_a_ceiling(ceilings: Ceilings, story: Story, save: Save) -> Iterator[str]:
    """What of E9 occurred at a save."""
    before, after = save.before.head.phase, save.after.head.phase
    if not _above(ceilings, story):
        return
    if before is Phase.PENDING and after is Phase.FAILED:
        yield "refused above a ceiling"
    elif before is Phase.RUNNING:
        yield "gone on above a ceiling"


def _above(ceilings: Ceilings, story: Story) -> bool:
    templates = [each.step_template for each in story.workflow.spec.steps]
    return any(
        _more(each.timeout_seconds, ceilings.timeout) or _retried(each.retry_policy, ceilings)
        for each in templates
    )


def _more(asked: float | None, most: float | None) -> bool:
    return most is not None and (asked is None or asked > most)


def _retried(policy: RetryPolicy, ceilings: Ceilings) -> bool:
    most, asked = ceilings.retry_limit, policy.run_retry_limit
    return most is not None and not 0 <= asked <= most


def _last_of_its_owner(calls: list[Called], called: Called) -> Called | None:
    """The last call that the process of `called` made in its epoch: it knows when that ended."""
    own = [
        each
        for each in calls
        if (each.process, each.call.epoch) == (called.process, called.call.epoch)
    ]
    return own[-1] if own else None
