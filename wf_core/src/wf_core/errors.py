"""The tree of errors, by who must act.

WfError
├── AuthorError      the author of a workflow must change the document or the request
│   ├── DocumentInvalid      every fault of a document at once
│   ├── WorkflowNotFound
│   ├── WorkflowExists
│   ├── ScheduleNotFound
│   └── ScheduleExists
├── PluginError      the author of a plugin must change code
│   └── KindUnavailable
├── OperatorError    whoever runs the engine must change the surroundings
│   ├── ConfigInvalid
│   ├── StoreUnavailable     a save or a read failed: full disk, read-only folder, server away
│   │   ├── StoreMissing         there is no store at that address, and reading makes none
│   │   └── StoreRefused         whoever keeps the store does not allow it
│   ├── NoRoom               a workflow has to wait until others leave it memory
│   ├── StoreForeign         the file is not a store, or of a newer schema
│   └── WorkflowOwned        another process runs this workflow
└── EngineError      we must act: a state the machine must never reach

What a hook raises is not here but in `wf_core.kinds`: it is data to the machine, no error of ours.
"""

from collections.abc import Sequence

import attrs


class WfError(Exception):
    """Anything wrong that the engine can name. `str()` says what, and what to do next."""


def without_frames(error: WfError) -> WfError:
    """The same error, without the frames that it and its causes went through: they hold all that
    was worked on, for as long as the error is kept."""
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is not None:
            left += (each.__cause__, each.__context__)
            each.__traceback__ = each.__context__ = None
    return error


class AuthorError(WfError):
    """The author of a workflow must act."""


@attrs.frozen
class Fault:
    """One fault of a document: where it is (JSONPath, line and column from 1) and what to do."""

    path: str
    message: str
    line: int | None = None
    column: int | None = None
    hint: str = ""

    def __str__(self) -> str:
        where = f" (line {self.line}, column {self.column})" if self.line else ""
        return f"{self.path}: {self.message}{'; ' + self.hint if self.hint else ''}{where}"


class DocumentInvalid(AuthorError):
    """A document has faults: all of them, in the order of the file. `source` names the file."""

    def __init__(self, faults: Sequence[Fault], source: str = "") -> None:
        self.faults = tuple(faults)
        self.source = source
        head = f"{source}: " if source else ""
        super().__init__("\n".join(f"{head}{fault}" for fault in self.faults))


class WorkflowNotFound(AuthorError):
    """No workflow of that name is in the store."""


class WorkflowExists(AuthorError):
    """A workflow of that name, with another document, is in the store."""


class ScheduleNotFound(AuthorError):
    """No schedule of that name is in the store."""


class ScheduleExists(AuthorError):
    """A schedule of that name, with another document, is in the store."""


class PluginError(WfError):
    """The author of a plugin must act."""


class KindUnavailable(PluginError):
    """No installed plugin brings that kind, or the one that does could not be imported."""


class OperatorError(WfError):
    """Whoever runs the engine must act."""


class ConfigInvalid(OperatorError):
    """A configuration file has an unknown key or a wrong value."""


GOES_ON = "`wf serve` and a controller then go on by themselves, `wf resume` goes on after `wf run`"
"""What follows once a store can be used again."""


class StoreUnavailable(OperatorError):
    """The store could not read or write; nothing was lost, the message says what to mend."""


class StoreMissing(StoreUnavailable):
    """There is no store at that address, and whoever only reads makes none."""


class StoreRefused(StoreUnavailable):
    """Whoever keeps the store does not allow it. Unless `passing`, a person has to change that."""

    @property
    def passing(self) -> bool:
        """Whether the same may be allowed later by itself."""
        return False


class NoRoom(OperatorError):
    """There is no memory to drive another workflow of its namespace (semantics E10)."""


class StoreForeign(OperatorError):
    """The file is no store of ours, or was written by a newer engine; it was left alone."""


class WorkflowOwned(OperatorError):
    """Another process runs this workflow."""


class StoreServed(OperatorError):
    """Another process admits this store's workflows already (semantics E3)."""


class EngineError(WfError):
    """A state that must never be reached: a fault of the engine."""
