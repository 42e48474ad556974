"""Why a request has no answer, told apart by what is known of its effect.

`str()` is one sentence for the author of the workflow, without anything secret.
"""


class Problem(Exception):  # noqa: N818  (what happened, not an error of ours)
    """Base of the problems below. `sent`: the request may have had its effect."""

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class Unusable(Problem):
    """The request can't be made as it stands, or may not be made: no retry helps."""


class Unsent(Problem):
    """No connection came about."""


class Unanswered(Problem):
    """It was sent, wholly or in part, and no answer came: nobody knows its effect."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=True)


class Stopped(Problem):
    """The engine asked the hook to stop."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("it was told to stop", sent=sent)


class NoSecret(Problem):
    """A secret can't be read now; whoever runs the engine can help."""
