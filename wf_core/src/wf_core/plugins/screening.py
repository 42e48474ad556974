"""Looking a plugin over before pluggy sees it.

pluggy registers a plugin hook by hook and stops in the middle at the first that is wrong; and it
never says which distribution that was. So every hook is looked at first, and all that is wrong with
a plugin is said at once.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import attrs
import pluggy

from wf_core import hookspecs
from wf_core.nearest import hint

WRAPPABLE = frozenset({"wf_step_run", "wf_step_rollback", "wf_step_sync"})
"""Hooks that run as a chain. Of all others each implementation is called by itself, so that one
that fails disturbs nobody; there is nothing to wrap."""

ASYNC = "is `async def`, and wrappers can't see through a coroutine: make it `def`"


@attrs.frozen
class Flaw:
    """Something wrong with a plugin; `refused` where it can't be registered with it."""

    message: str
    refused: bool


def screen(manager: pluggy.PluginManager, plugin: Any) -> Iterator[Flaw]:
    """All flaws of a plugin's hooks. Reading its names may raise what the plugin likes."""
    if inspect.isclass(plugin):
        yield Flaw("the entry point names a class: name an instance of it, or a module", True)
        return
    for name in dir(plugin):
        marks = manager.parse_hookimpl_opts(plugin, name)
        if marks is not None:
            flaw = _flaw(getattr(plugin, name), marks.get("specname") or name, marks)
        else:
            flaw = _unmarked(plugin, name)
        if flaw is not None:
            yield flaw


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine or an asynchronous generator."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _flaw(function: Any, name: str, marks: Any) -> Flaw | None:
    if name not in hookspecs.SPECIFIED:
        if marks.get("optionalhook"):
            return None
        near = hint(name, sorted(hookspecs.SPECIFIED))
        return Flaw(
            f"there is no hook '{name}', so it is never called"
            f"{'; ' + near if near else ''} (or it is of another version of wf)",
            False,
        )
    if is_async(function):
        return Flaw(f"the hook '{name}' {ASYNC}", True)
    wraps = marks.get("wrapper") or marks.get("hookwrapper")
    if wraps and name not in WRAPPABLE:
        return Flaw(
            f"the hook '{name}' can't be wrapped: every implementation is called by itself "
            f"(these can: {', '.join(sorted(WRAPPABLE))})",
            True,
        )
    if wraps and not inspect.isgeneratorfunction(function):
        return Flaw(f"the wrapper '{name}' has no `yield`: a wrapper is a generator", True)
    return _signature_flaw(function, name)


def _signature_flaw(function: Any, name: str) -> Flaw | None:
    known = list(inspect.signature(getattr(hookspecs, name)).parameters)
    asked = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    unknown = [argument for argument in asked if argument not in known]
    if not unknown:
        return None
    return Flaw(
        f"the hook '{name}' asks for {', '.join(unknown)}, and this version of wf gives "
        f"{', '.join(known) or 'no argument'}: it was written for another version, or misspelt",
        True,
    )


def _unmarked(plugin: Any, name: str) -> Flaw | None:
    """A function that is called like a hook but lacks the mark is never called: say so."""
    if name not in hookspecs.SPECIFIED:
        return None
    function = getattr(plugin, name)
    if not inspect.isroutine(function) or function is getattr(hookspecs, name):
        return None
    return Flaw(f"the hook '{name}' lacks its `@hookimpl`, so it is never called", False)
