"""Calling the hooks of a step: pluggy's chain, at whose end our own link calls the kind."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pluggy

from wf_core.hookspecs import hookimpl
from wf_core.kinds import Answer, Fatal, InProgress, StepCall, Success
from wf_core.model.outcomes import Outcome
from wf_core.model.phases import Hook
from wf_core.plugins.answers import Blame, WrongAnswer, failure_of, outcome_of
from wf_core.plugins.kinds import LoadedKind

NAME = "wf-core:dispatch"


@attrs.frozen(eq=False)
class Dispatcher:
    """The last link of the three chains. It turns None into Success: to pluggy None means that the
    next link is to be called, and after the kind there is none (semantics B10)."""

    kinds: Mapping[str, LoadedKind]

    @hookimpl(trylast=True)
    def wf_step_run(self, call: StepCall) -> Answer:
        """Call the kind's `run`."""
        return self._call(call)

    @hookimpl(trylast=True)
    def wf_step_rollback(self, call: StepCall) -> Answer:
        """Call the kind's `rollback`."""
        return self._call(call)

    @hookimpl(trylast=True)
    def wf_step_sync(self, call: StepCall) -> Answer:
        """Call the kind's `sync`."""
        return self._call(call)

    def _call(self, call: StepCall) -> Answer:
        loaded = self.kinds.get(call.kind)
        if loaded is None:
            raise Fatal(f"no installed plugin brings the kind '{call.kind}'")
        method: Callable[[StepCall], Any] | None = getattr(loaded.kind, call.hook, None)
        if method is None:
            raise Fatal(f"{loaded.identity}: the kind '{call.kind}' has no `{call.hook}`")
        answer = method(call)
        if answer is None:
            return Success()
        if not isinstance(answer, Success | InProgress):
            try:
                outcome_of(answer)
            except WrongAnswer as error:
                raise Fatal(f"{loaded.identity}: {call.hook} {error}") from error
        return answer  # type: ignore[no-any-return]


@attrs.frozen(eq=False)
class Chains:
    """The three chains. `names` gives the distribution of a registered plugin's name."""

    manager: pluggy.PluginManager
    kinds: Mapping[str, LoadedKind]
    names: Mapping[str, str]
    _alone: Mapping[str, Callable[..., Any]] = attrs.field(init=False)
    """Chains of one link, ours: that is called without pluggy, which does the same more slowly."""

    def __attrs_post_init__(self) -> None:
        alone = {}
        for hook in Hook:
            impls = getattr(self.manager.hook, f"wf_step_{hook}").get_hookimpls()
            if len(impls) == 1:
                alone[hook] = impls[0].function
        object.__setattr__(self, "_alone", alone)

    def perform(self, call: StepCall) -> Outcome:
        """Call what `call` asks for. Gives an outcome whatever happens in a plugin."""
        hook = self._alone.get(call.hook)
        if hook is None:
            hook = getattr(self.manager.hook, f"wf_step_{call.hook}")
        try:
            answer = hook(call=call)
        except (Exception, SystemExit) as error:  # sys.exit() in a hook ends the hook alone
            return failure_of(error)
        try:
            return outcome_of(answer)
        except WrongAnswer as error:
            return Blame(self._who(call)).failure(call.hook, error)

    def _who(self, call: StepCall) -> str:
        """Whose answer may have been wrong: the kind's, or that of a plugin in its chain."""
        impls = getattr(self.manager.hook, f"wf_step_{Hook(call.hook)}").get_hookimpls()
        others = [
            self.names[impl.plugin_name] for impl in reversed(impls) if impl.plugin_name != NAME
        ]
        kind = self.kinds.get(call.kind)
        return " or ".join(dict.fromkeys([*others, *([kind.identity] if kind else [])]))
