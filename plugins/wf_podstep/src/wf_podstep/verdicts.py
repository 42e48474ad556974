"""What a pod's state can mean for its step."""

import attrs

from wf_podstep.weights import Weight


@attrs.frozen
class Done:
    """The pod succeeded; `message` is what its container left in the termination log."""

    message: str


@attrs.frozen
class Failed:
    """The pod failed: why in a word, what it counts, and the sentence that a person sees."""

    reason: str
    weight: Weight
    sentence: str


@attrs.frozen
class Going:
    """It has not ended. `why` says what keeps it from running, where something does."""

    status: str
    why: str = ""


Verdict = Done | Failed | Going
