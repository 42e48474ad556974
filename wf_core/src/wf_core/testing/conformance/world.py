"""What the kit has to know of a kind: good parameters, and what shows outside."""

import abc
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

from wf_core.kinds import StepKind
from wf_core.model.spec import Json


class World(abc.ABC):
    """The outside of one kind, for one check: clean when it is made, in a `folder` of its own.

    Give `kind` (a class that another process can import and make without arguments), `parameters`
    and `effects`; the rest says more, so that more can be checked. A check that lacks something is
    skipped, with the reason. Methods are called in the process of the tests; hooks run in others.
    """

    kind: ClassVar[type[StepKind]]

    effects_of_a_run: ClassVar[int] = 1
    """How many effects one run leaves; 0 for a kind that only waits."""

    refuses_late_runs: ClassVar[bool] = True
    """False where the outside gives no means to refuse a run that comes after its undo."""

    crash_points: ClassVar[int] = 25
    """At how many points a hook is killed, where it has more: spread evenly."""

    grace: ClassVar[float] = 5.0
    """Seconds within which a hook ends that is told to stop; the engine's own default is 10."""

    patience: ClassVar[float] = 30.0
    """Seconds until work in progress, or a hook that is not told to stop, counts as hanging."""

    store: str = "memory:"
    """What hooks find as `call.store`."""

    namespace: str = "default"
    """What hooks find as `call.namespace`."""

    signals: Mapping[str, Json] = {}
    """What hooks find as `call.signals`; `finish` may send one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abc.abstractmethod
    def parameters(self) -> Mapping[str, Json]:
        """Parameters as in a document, with which a run succeeds soon. The same at every call."""

    @abc.abstractmethod
    def effects(self) -> Collection[object]:
        """What runs left outside and no undo took back, one entry an effect."""

    def bad_parameters(self) -> Iterable[Mapping[str, Json]]:
        """Parameters with which no run can ever succeed."""
        return ()

    def long_parameters(self) -> Mapping[str, Json] | None:
        """Parameters of a run that takes a minute or more unless it is told to stop."""
        return None

    def away(self) -> AbstractContextManager[None] | None:
        """A context in which the outside does not answer."""
        return None

    def begin(self) -> None:  # noqa: B027  (most worlds have nothing to take back)
        """A step of another workflow begins: take back what `finish` did for the one before."""

    def finish(self) -> None:  # noqa: B027  (most kinds have nothing in progress)
        """Let what is in progress outside come to its end, or a step nearer to it.

        Called between two looks.
        """

    def close(self) -> None:  # noqa: B027  (most worlds are files in `folder`)
        """Give back what this world holds, at the end of the check."""
