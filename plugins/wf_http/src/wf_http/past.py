"""What is known of the attempts to run that came before.

An attempt that ended without an answer may have had its effect. Where that matters, one that surely
had none says so in the step's resource; only while each of them says so is it known that nothing
was made.
"""

import attrs

from wf_core.kinds import StepCall
from wf_core.model.state import Resource
from wf_http.parameters import HttpParameters
from wf_http.template import KEY, names, whole_names

REFUSED = "Refused"
_ATTEMPT = "refusedAttempt"


@attrs.frozen
class Past:
    """Of the step of `call`."""

    call: StepCall

    @property
    def refused(self) -> int:
        """The last attempt to run up to which all surely had no effect; 0 is none."""
        saved = self.call.previous.resource
        if saved is None or saved.status != REFUSED:
            return 0
        number = saved.attributes.get(_ATTEMPT, 0)
        return number if isinstance(number, int) else 0

    @property
    def is_clear(self) -> bool:
        """For a run: whether nothing that came before it can have had an effect."""
        call = self.call
        return call.interruptions == 0 and self.refused >= call.attempt - 1

    @property
    def made_nothing(self) -> bool:
        """For an undo: whether no attempt to run had an effect."""
        return self.refused >= self.call.run_attempt

    def note_refusal(self) -> None:
        """This attempt to run surely had no effect. Saved only where somebody will ask."""
        if self.is_clear and _is_asked(self.call.parameters):
            attributes = {_ATTEMPT: self.call.attempt}
            self.call.checkpoint(Resource(REFUSED, attributes=attributes))


def _is_asked(parameters: HttpParameters) -> bool:
    return not parameters.repeatable or needs_answer(parameters)


def needs_answer(parameters: HttpParameters) -> bool:
    """Whether the undo can't be sent without something that the run's answer tells."""
    undo = parameters.rollback
    if undo is None:
        return False
    if not undo.url:
        return True
    texts = [undo.json, undo.form, {**parameters.headers, **undo.headers}, undo.query]
    told = [*names(undo.url), *(name for each in texts for name in whole_names(each))]
    return any(name != KEY for name in told)
