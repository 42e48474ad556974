"""Why a request has no answer, told apart by what is known of its effect.

`str()` is one sentence for the author of the workflow, without anything secret.
"""


class Problem(Exception):  # noqa: N818  (what happened, not an error of ours)
    """Base of the problems below.

    `sent`: a byte of the request may have reached a server, so it may have had its effect. The
    sender sets it from what the connection did; whoever raises a problem can't know.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.sent = True


class Unusable(Problem):
    """The request can't be made as it stands, or may not be made: no retry helps."""


class Unsent(Problem):
    """No connection came about."""


class Unanswered(Problem):
    """No answer came: nobody knows whether it had an effect, where any of it was sent."""


class Stopped(Problem):
    """The engine asked the hook to stop."""

    def __init__(self) -> None:
        super().__init__("it was told to stop")


class NoSecret(Problem):
    """A secret can't be read now; whoever runs the engine can help."""


class Lacking(NoSecret):
    """The engine's own environment or files do not hold it: that changes with the engine only."""
