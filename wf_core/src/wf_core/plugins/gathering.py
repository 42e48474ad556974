"""Importing, screening and registering plugins, and asking them for their kinds.

Whatever is wrong with one is written down under its distribution's name, and the next one is taken.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import pluggy

from wf_core import hookspecs
from wf_core.plugins.discovery import Candidate, PluginInfo, Status
from wf_core.plugins.kinds import LoadedKind, flaw
from wf_core.plugins.screening import screen


@attrs.define
class Plugin:
    """A plugin while it is being gathered."""

    candidate: Candidate
    status: Status = Status.LOADED
    problems: list[str] = attrs.field(factory=list)
    kinds: list[LoadedKind] = attrs.field(factory=list)
    kinds_unknown: bool = False

    def blame(self, problem: str) -> None:
        """Write a problem down under the distribution's name."""
        self.problems.append(f"{self.candidate.who}: {problem}")

    def refuse(self, problem: str) -> None:
        """Write down a problem with which it can't be used."""
        self.blame(problem)
        self.status = Status.FAILED
        self.kinds_unknown = True

    def info(self) -> PluginInfo:
        """What is shown of it."""
        from_ = self.candidate
        return PluginInfo(
            from_.name,
            from_.distribution,
            from_.version,
            from_.module,
            tuple(kind.name for kind in self.kinds),
            self.status,
            "; ".join(self.problems) or None,
        )


@attrs.define
class Gathering:
    """All plugins, by the name they are registered under, and the kinds that one of them brings."""

    manager: pluggy.PluginManager
    plugins: dict[str, Plugin] = attrs.field(factory=dict)
    kinds: dict[str, LoadedKind] = attrs.field(factory=dict)
    contested: dict[str, str] = attrs.field(factory=dict)


def gather(candidates: Iterable[Candidate]) -> Gathering:
    """Import and register every plugin that can be, and collect the kinds."""
    manager = pluggy.PluginManager("wf")
    manager.add_hookspecs(hookspecs)
    found = Gathering(manager)
    for candidate in candidates:
        plugin = Plugin(candidate)
        name = candidate.registered
        while name in found.plugins:  # one distribution may name several modules alike
            name += "'"
        found.plugins[name] = plugin
        _register(found, name, plugin)
    _collect(found)
    _settle(found)
    return found


def _register(found: Gathering, name: str, plugin: Plugin) -> None:
    point = f"the entry point '{plugin.candidate.name}' ({plugin.candidate.module})"
    try:
        loaded = plugin.candidate.load()
        flaws = list(screen(found.manager, loaded))
    except (Exception, SystemExit) as error:  # a module may call sys.exit() when imported
        plugin.refuse(f"{point} could not be imported: {told(error)}")
        return
    other = found.manager.get_name(loaded)
    if other is not None:
        plugin.status = Status.SKIPPED
        plugin.blame(f"{point} is loaded already, from {found.plugins[other].candidate.who}")
        return
    for each in flaws:
        if each.refused:
            plugin.refuse(each.message)
        else:
            plugin.blame(each.message)
    if plugin.status is not Status.LOADED:
        return
    try:
        found.manager.register(loaded, name)
    except (pluggy.PluginValidationError, ValueError, TypeError) as error:
        if found.manager.has_plugin(name):
            found.manager.unregister(name=name)
        plugin.refuse(f"{point} could not be registered: {told(error)}")


def told(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")


def _collect(found: Gathering) -> None:
    """Ask every plugin by itself for its kinds."""
    for impl in found.manager.hook.wf_step_kinds.get_hookimpls():
        plugin = found.plugins[impl.plugin_name]
        from_ = plugin.candidate
        try:
            # Any: pluggy does not know what the specification says.
            function: Any = impl.function
            brought = list(function())
        except (Exception, SystemExit) as error:
            plugin.blame(f"wf_step_kinds failed: {told(error)}")
            plugin.kinds_unknown = True
            continue
        for kind in brought:
            problem = flaw(kind)
            if problem is not None:
                plugin.blame(problem)
                plugin.kinds_unknown = True
            else:
                loaded = LoadedKind(kind.name, kind, from_.distribution, from_.version)
                plugin.kinds.append(loaded)


def _settle(found: Gathering) -> None:
    """A kind that two bring is nobody's: to let one win would run the wrong code silently."""
    bringers: dict[str, list[tuple[Plugin, LoadedKind]]] = {}
    for plugin in found.plugins.values():
        for kind in plugin.kinds:
            bringers.setdefault(kind.name, []).append((plugin, kind))
    for name, several in bringers.items():
        if len(several) == 1:
            found.kinds[name] = several[0][1]
            continue
        who = " and ".join(_distinct(plugin for plugin, _ in several))
        found.contested[name] = (
            f"the kind '{name}' is brought more than once, by {who}: uninstall all but one"
        )
        for plugin in {id(plugin): plugin for plugin, _ in several}.values():
            plugin.blame(found.contested[name])


def _distinct(plugins: Iterable[Plugin]) -> Iterator[str]:
    seen: dict[str, Any] = dict.fromkeys(
        f"{plugin.candidate.who} ({plugin.candidate.module})" for plugin in plugins
    )
    return iter(seen)
