"""The kinds of the simulated world. Their hooks are never called: the world says what they do."""

from functools import cache
from typing import Any, ClassVar

import attrs

from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.plugins import Registry


@attrs.frozen
class Given:
    """What the kinds take: `count` refuses text, `value` takes anything."""

    count: int = 0
    value: Any = None  # whatever a reference brings


@attrs.frozen
class GivenLater:
    """The same in another version, whose default differs."""

    count: int = 1
    value: Any = None


class Plain(StepKind):
    """A kind that can't be looked at."""

    name: ClassVar[str] = "plain"
    Parameters: ClassVar[type] = Given

    def run(self, call: StepCall) -> Answer:
        """Never called."""
        raise NotImplementedError(call.step)

    def rollback(self, call: StepCall) -> Answer:
        """Never called."""
        raise NotImplementedError(call.step)


class Looked(Plain):
    """A kind that can be looked at."""

    name: ClassVar[str] = "looked"

    def sync(self, call: StepCall) -> Answer:
        """Never called."""
        raise NotImplementedError(call.step)


class Once(Looked):
    """A kind whose interrupted run must not be called again (semantics B3)."""

    name: ClassVar[str] = "once"
    reissue: ClassVar[bool] = False


class PlainLater(Plain):
    """Another version."""

    Parameters: ClassVar[type] = GivenLater


class LookedLater(Looked):
    """Another version."""

    Parameters: ClassVar[type] = GivenLater


class OnceLater(Once):
    """Another version."""

    Parameters: ClassVar[type] = GivenLater


KINDS: tuple[StepKind, ...] = (Plain(), Looked(), Once())
LATER: tuple[StepKind, ...] = (PlainLater(), LookedLater(), OnceLater())


@cache
def registry(lacking: tuple[str, ...] = (), *, later: bool = False) -> Registry:
    """What a process has installed: all kinds but those, perhaps in their later version."""
    kinds = LATER if later else KINDS
    return Registry.of([kind for kind in kinds if kind.name not in lacking])
