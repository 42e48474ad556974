"""What is no fault of a `command` step, but leaves effects behind: an undo that undoes nothing."""

import re
from collections.abc import Iterator

from wf_command.parameters import CommandParameters
from wf_command.surroundings import TOLD

_NOTHING = frozenset({"true", "/bin/true", "/usr/bin/true", ":", "exit 0", "exit"})
_READS = re.compile(r"\$\{?(WF_[A-Za-z0-9_]*)")


def advice(parameters: CommandParameters, *, undoable: bool) -> Iterator[str]:
    """A sentence each."""
    rollback = parameters.rollback
    if rollback is None:
        return
    words = [rollback] if isinstance(rollback, str) else rollback
    if undoable and _does_nothing(" ".join(words)):
        yield (
            "rollback does nothing, so the step is said to be undone while what `run` did stays; "
            "undo it, or say `rollback: None` on the step"
        )
    for name in dict.fromkeys(found for word in words for found in _READS.findall(word)):
        if name not in TOLD and not any(f"{name}=" in word for word in words):
            yield f"rollback reads ${name}, which no command is told; see `wf kinds show command`"


def _does_nothing(text: str) -> bool:
    lines = (line.partition("#")[0].strip().rstrip(";").strip() for line in text.splitlines())
    return all(line in _NOTHING for line in lines if line)
