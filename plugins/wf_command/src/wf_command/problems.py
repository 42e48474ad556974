"""Why a command gave no exit code that counts; `wf_command.kind` says what each problem means."""


class Problem(Exception):  # noqa: N818  (what happened, not an error of ours)
    """Base of the problems below; `str()` is one sentence for the author of the workflow."""


class CannotStart(Problem):
    """The program or its folder is not there: trying again does not help."""


class Busy(Problem):
    """The machine could not start a process right now."""


class Ended(Problem):
    """We ended the command: it was asked to stop, or ran out of time."""


class StillRunning(Problem):
    """What an earlier attempt left behind could not be ended."""


class BadResult(Problem):
    """The command ran, but what it wrote as its attributes or its resource can't be used."""
