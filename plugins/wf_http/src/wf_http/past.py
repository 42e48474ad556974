"""What is known of the attempts to run that came before.

An attempt that ended without an answer may have had its effect. One that surely had none says so in
the step's resource, and only while each of them says so is it known that nothing was made: an undo
has nothing to do where nothing was ever sent, and a run that may not be repeated may be sent again.
"""

import attrs

from wf_core.kinds import StepCall
from wf_core.model.state import Resource
from wf_http.parameters import HttpParameters
from wf_http.template import KEY, names, whole_names

UNSENT = "NotSent"
REFUSED = "Refused"
"""The status of the resource of a step that made nothing: no attempt was sent, or the service
refused each that was."""

_ATTEMPT = "attempt"


@attrs.frozen
class Past:
    """Of the step of `call`."""

    call: StepCall

    @property
    def made_nothing(self) -> bool:
        """For an undo: whether no attempt to run had an effect."""
        return self._last >= self.call.run_attempt

    @property
    def never_sent(self) -> bool:
        """For an undo: whether no attempt to run was even sent."""
        return self.made_nothing and self._status == UNSENT

    @property
    def is_clear(self) -> bool:
        """For a run: whether nothing that came before it can have had an effect."""
        return self.call.interruptions == 0 and self._last >= self.call.attempt - 1

    def note_unsent(self) -> None:
        """This attempt to run was not sent. Saved."""
        if self.is_clear:
            self._note(REFUSED if self._status == REFUSED else UNSENT)

    def note_refusal(self) -> None:
        """The service refused this attempt to run. Saved only where somebody will ask."""
        if self.is_clear and _is_asked(self.call.parameters):
            self._note(REFUSED)

    def forget_this(self) -> None:
        """This attempt to run is sent. Where it was noted that it had no effect and a crash came
        before that was told, it is called again under its number, and the note holds no longer."""
        if self._last >= self.call.attempt:
            self._note(self._status, self.call.attempt - 1)

    def _note(self, status: str, attempt: int | None = None) -> None:
        last = self.call.attempt if attempt is None else attempt
        self.call.checkpoint(Resource(status, attributes={_ATTEMPT: last}))

    @property
    def _status(self) -> str:
        saved = self.call.previous.resource
        return "" if saved is None else saved.status

    @property
    def _last(self) -> int:
        """The last attempt to run up to which all surely had no effect; 0 is none."""
        saved = self.call.previous.resource
        if saved is None or not is_note(saved):
            return 0
        number = saved.attributes[_ATTEMPT]
        return number if isinstance(number, int) else 0


def is_note(resource: Resource) -> bool:
    """Whether a resource only says that nothing was made."""
    return resource.status in (UNSENT, REFUSED) and set(resource.attributes) == {_ATTEMPT}


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
