"""What is installed, and the one way to call it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import pluggy

from wf_core.errors import KindUnavailable, PluginError, StoreUnavailable, WfError
from wf_core.kinds import StepCall
from wf_core.model.outcomes import Outcome
from wf_core.model.state import LogLine
from wf_core.nearest import hint
from wf_core.plugins.alone import each_alone, first_alone, hook_of, observed
from wf_core.plugins.discovery import PluginInfo, given, installed
from wf_core.plugins.dispatch import NAME, Chains, Dispatcher
from wf_core.plugins.gathering import Gathering, gather, told
from wf_core.plugins.kinds import LoadedKind
from wf_core.ports import Event, LogQuery, Store

if TYPE_CHECKING:
    import click


@attrs.frozen(eq=False)
class Registry:
    """All plugins of this process. It does not change once made.

    `problems` says what is wrong, each with the distribution's name; `names` gives the distribution
    and version behind the name that a plugin is registered under.
    """

    manager: pluggy.PluginManager
    plugins: tuple[PluginInfo, ...]
    problems: tuple[str, ...]
    kinds: Mapping[str, LoadedKind]
    names: Mapping[str, str]
    _contested: Mapping[str, str]
    _unknown: tuple[str, ...]
    _chains: Chains

    @classmethod
    def of(cls, plugins: Iterable[object], *, discover: bool = False) -> "Registry":
        """A registry of plugins at hand: modules, objects with hooks, or bare `StepKind`s.

        With `discover` what is installed comes first. Raises nothing for a faulty plugin.
        """
        return cls._from(gather([*(installed() if discover else ()), *given(plugins)]))

    @classmethod
    def _from(cls, found: Gathering) -> "Registry":
        kinds = MappingProxyType(found.kinds)
        names = {name: plugin.candidate.who for name, plugin in found.plugins.items()}
        found.manager.register(Dispatcher(kinds), NAME)
        gathered = found.plugins.values()
        return cls(
            found.manager,
            tuple(plugin.info() for plugin in gathered),
            tuple(dict.fromkeys(each for plugin in gathered for each in plugin.problems)),
            kinds,
            MappingProxyType(names),
            found.contested,
            tuple(each for plugin in gathered if plugin.kinds_unknown for each in plugin.problems),
            Chains(found.manager, kinds, names),
        )

    def kind(self, name: str) -> LoadedKind:
        """The kind of that name; raises KindUnavailable with what to do."""
        kind = self.kinds.get(name)
        if kind is not None:
            return kind
        if name in self._contested:
            raise KindUnavailable(self._contested[name])
        near = hint(name, sorted({*self.kinds, *self._contested}))
        message = f"no installed plugin brings the kind '{name}'"
        message += f"; {near}" if near else "; `wf plugins` shows what is installed"
        if self._unknown:
            message += f" (not all plugins could be used: {'; '.join(self._unknown)})"
        raise KindUnavailable(message)

    def perform(self, call: StepCall) -> Outcome:
        """Call the hook of `call` through all its wrappers; an exception becomes a Failure (B6)."""
        return self._chains.perform(call)

    def open_store(self, url: str, *, create: bool = True) -> Store:
        """The store of `url`: the first plugin that knows its scheme opens it.

        Raises StoreMissing where there is none and it may not be made, StoreUnavailable where no
        plugin knows it, what the store's own opening raises of ours, and
        PluginError with the distribution's name for any other exception.
        """
        for impl in reversed(self.manager.hook.wf_open_store.get_hookimpls()):
            try:
                # Any: pluggy does not know what the specification says.
                function: Any = impl.function
                given = {"url": url, "create": create}
                store: Store | None = function(**{name: given[name] for name in impl.argnames})
            except WfError:
                raise
            except Exception as error:
                who = self.names[impl.plugin_name]
                raise PluginError(f"{who} failed to open the store: {told(error)}") from error
            if store is not None:
                return store
        scheme = url.partition(":")[0]
        raise StoreUnavailable(
            f"no installed plugin opens a store '{scheme}:'; write `sqlite:PATH` or `memory:`, or "
            "install the plugin that brings it"
        )

    def step_logs(self, query: LogQuery) -> Iterable[LogLine]:
        """What an attempt wrote that is not in the store; nothing where no plugin knows its kind.

        May block, here and between lines. Raises what the plugin's own code raises of ours, and
        PluginError with the distribution's name for any other exception.
        """
        for impl in reversed(self.manager.hook.wf_step_logs.get_hookimpls()):
            try:
                # Any: pluggy does not know what the specification says.
                function: Any = impl.function
                lines: Iterable[LogLine] | None = function(*(query for _ in impl.argnames))
                if lines is not None:
                    yield from lines
                    return
            except WfError:
                raise
            except Exception as error:
                who = self.names[impl.plugin_name]
                raise PluginError(f"{who} failed to show the log: {told(error)}") from error

    @property
    def traces(self) -> bool:
        """Whether any plugin gives a trace context: where none does, nobody need be asked."""
        return bool(self.manager.hook.wf_trace_context.get_hookimpls())

    def trace_context(self, uid: str, annotations: Mapping[str, str]) -> Mapping[str, str]:
        """What the first plugin gives that traces this; empty where none does. One that raises is
        logged by its distribution's name: what is traced goes on without."""
        return first_alone(
            self.manager,
            self.names,
            "wf_trace_context",
            {},
            uid=uid,
            annotations=annotations,
        )

    @property
    def observed(self) -> bool:
        """Whether any plugin observes at all."""
        return observed(self.manager)

    def notify(self, event: Event) -> None:
        """Tell the observers; one that raises is logged by its distribution's name."""
        hook = hook_of(event)
        if hook is not None:
            each_alone(self.manager, self.names, hook, event=event)

    def add_cli_commands(self, group: "click.Group") -> None:
        """Let plugins add subcommands; one that raises is logged by its distribution's name."""
        each_alone(self.manager, self.names, "wf_cli_commands", group=group)


def load() -> Registry:
    """A registry of everything that is installed (entry points of the group `wf.plugins`)."""
    return Registry.of((), discover=True)
