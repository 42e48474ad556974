"""What `wf` gives back to the shell."""

from docs.reference.markdown import table

from wf_core.cli.exits import MEANINGS, ExitCode

HEAD = """\
# Exit codes

Every command of `wf` ends with one of these. Where several workflows are run at once, the code
that asks most of a person wins.
"""


def page() -> str:
    """Each exit code and what it says."""
    rows = ((str(int(code)), MEANINGS[code]) for code in ExitCode)
    return "\n".join(
        [
            HEAD,
            *table(("code", "meaning"), rows),
        ]
    )
