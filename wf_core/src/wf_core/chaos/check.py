"""The author's check: a command that says whether the world is all-or-none."""

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from enum import StrEnum

import attrs

from wf_core.model.phases import Phase

KEPT_OUTPUT = 4_000
"""Characters of the check's output that a report keeps, from its end."""


class Expect(StrEnum):
    """What the world must show."""

    ALL = "all"
    NONE = "none"


@attrs.frozen
class Checked:
    """How the check exited (negative: the signal that ended it) and the end of what it said."""

    expect: Expect
    code: int
    output: str


@attrs.frozen
class Check:
    """The command, run by `/bin/sh -c` in this process's folder."""

    command: str
    workflow: str

    def __call__(self, expect: Expect, phase: Phase) -> Checked:
        """Run it to its end. An interrupt ends the command and all that it started."""
        env = {
            **os.environ,
            "WF_EXPECT": expect,
            "WF_PHASE": phase,
            "WF_WORKFLOW": self.workflow,
        }
        # A file rather than a pipe: what the command leaves in the background can't hold us up.
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                ["/bin/sh", "-c", self.command],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait()
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            said.seek(0)
            output = said.read().decode(errors="replace")
        return Checked(expect, code, output[-KEPT_OUTPUT:].strip())
