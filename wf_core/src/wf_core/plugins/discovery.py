"""Finding plugins: entry points, or objects that were handed in."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import attrs

from wf_core.hookspecs import GROUP, hookimpl
from wf_core.kinds import StepKind


class Status(StrEnum):
    """What became of a plugin. `Skipped` ones were there already under another name."""

    LOADED = "loaded"
    FAILED = "failed"
    SKIPPED = "skipped"


@attrs.frozen
class PluginInfo:
    """One plugin as `wf plugins` shows it. `problem` is set where something is wrong with it, also
    where the rest of it was loaded."""

    name: str
    distribution: str
    version: str
    module: str
    kinds: tuple[str, ...] = ()
    status: Status = Status.LOADED
    problem: str | None = None


@attrs.frozen(eq=False)
class Candidate:
    """A plugin before it is imported: `load` imports it, and may raise anything."""

    name: str
    distribution: str
    version: str
    module: str
    load: Callable[[], Any]  # a plugin is whatever object bears hooks

    @property
    def who(self) -> str:
        """The distribution and its version, as messages name it."""
        return f"{self.distribution} {self.version}".strip()

    @property
    def registered(self) -> str:
        """The name it is registered under: two distributions may use one entry-point name."""
        return f"{self.distribution}:{self.name}"


def installed() -> list[Candidate]:
    """The entry points of all installed distributions, in an order that does not change."""
    found = [_candidate(point) for point in entry_points(group=GROUP)]
    return sorted(found, key=lambda each: (each.distribution, each.name, each.module))


def _candidate(point: EntryPoint) -> Candidate:
    # `name` and `version` are read from files that a broken installation may lack.
    name = getattr(point.dist, "name", None) or "a distribution without a name"
    version = getattr(point.dist, "version", None) or ""
    return Candidate(point.name, name, version, point.value, point.load)


def given(plugins: Iterable[object]) -> list[Candidate]:
    """Candidates for plugins that are at hand: modules, objects with hooks, bare step kinds."""
    return [_given(plugin, n) for n, plugin in enumerate(plugins)]


def _given(plugin: object, number: int) -> Candidate:
    module = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
    bears = Bare(plugin) if isinstance(plugin, StepKind) else plugin
    return Candidate(str(number), module.partition(".")[0], "", module, lambda: bears)


@attrs.frozen(eq=False)
class Bare:
    """The plugin that a single step kind amounts to."""

    kind: StepKind

    @hookimpl
    def wf_step_kinds(self) -> list[StepKind]:
        """That kind."""
        return [self.kind]
