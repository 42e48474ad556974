"""The kind `http`: a request to run, one to undo, one to look."""

import os
import time
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from wf_core.kinds import Answer, CannotLook, Fatal, Retryable, StepCall, StepKind
from wf_core.model.phases import Hook, Purpose
from wf_http.faults import MISSING_ROLLBACK, faults
from wf_http.parameters import HttpParameters

if TYPE_CHECKING:
    from wf_http.step import Step


class Http(StepKind):
    """Sends an HTTP request, and another one to undo it."""

    name: ClassVar[str] = "http"
    description: ClassVar[str] = "Sends an HTTP request, and another one to undo it."
    Parameters: ClassVar[type] = HttpParameters

    def faults(self, parameters: HttpParameters, *, undoable: bool) -> Iterable[str]:
        """What the types can't express."""
        return faults(parameters, undoable=undoable)

    def lacks(self, parameters: HttpParameters, *, namespace: str) -> Iterable[str]:
        """Secrets and TLS files that the engine's environment and folder do not hold."""
        from wf_http.lacking import lacking

        return lacking(parameters, namespace)

    def run(self, call: StepCall) -> Answer:
        """Send the run's request."""
        from wf_http.running import run

        return _guarded(call, run)

    def rollback(self, call: StepCall) -> Answer:
        """Send the undo's request, also where the run's had no answer."""
        from wf_http.undoing import rollback

        parameters: HttpParameters = call.parameters
        undo = parameters.rollback
        if undo is None:
            raise Fatal(MISSING_ROLLBACK)
        return _guarded(call, lambda step: rollback(step, undo))

    def sync(self, call: StepCall) -> Answer:
        """Look at either while it goes on, and at a finished step."""
        from wf_http.looks import look, watch

        return _guarded(call, watch if call.purpose is Purpose.WATCH else look)


def _guarded(call: StepCall, act: "Callable[[Step], Answer]") -> Answer:
    """Have it done, and let no exception out that might hold a secret: those of libraries quote
    what they were given."""
    # What speaks HTTP takes longer to import than most `wf` commands take to run.
    from wf_core.addresses import Allowed
    from wf_http.connection import ALLOW
    from wf_http.kubernetes import reader
    from wf_http.sending import Sender
    from wf_http.step import Step

    allowed = Allowed.of(os.environ.get(ALLOW, ""))
    sender = Sender(call, allowed, reader(call))
    try:
        return act(Step(call, sender, time.time()))
    except (Retryable, Fatal, CannotLook):
        raise
    except Exception as error:
        hide = sender.secrets.hide
        call.log(hide("".join(traceback.format_exception(error))), "error")
        said = hide(f"{type(error).__name__}: {error}")
        raise (CannotLook if call.hook is Hook.SYNC else Retryable)(said) from None
