"""Calling every implementation of a hook by itself, so that one that raises disturbs nobody.

pluggy's own call ends at the first exception.
"""

import logging
from collections.abc import Mapping
from typing import Any, TypeVar

import pluggy

from wf_core.hookspecs import OBSERVERS
from wf_core.model.phases import Phase
from wf_core.ports import Event

T = TypeVar("T")
STEP_FAILED = "wf_step_failed"

logger = logging.getLogger("wf.plugins")


def each_alone(
    manager: pluggy.PluginManager, names: Mapping[str, str], hook: str, **arguments: Any
) -> None:
    """Call every implementation of a hook that returns nothing; log who raised what."""
    for impl in reversed(getattr(manager.hook, hook).get_hookimpls()):
        try:
            impl.function(*(arguments[name] for name in impl.argnames))
        except (Exception, SystemExit):
            logger.exception("%s: %s failed", names[impl.plugin_name], hook)


def first_alone(
    manager: pluggy.PluginManager,
    names: Mapping[str, str],
    hook: str,
    otherwise: T,
    **arguments: Any,
) -> T:
    """The first result that is not None, and `otherwise` where there is none; log who raised what.

    The caller knows what type the hook gives: pluggy does not.
    """
    for impl in reversed(getattr(manager.hook, hook).get_hookimpls()):
        try:
            found: T | None = impl.function(*(arguments[name] for name in impl.argnames))
        except (Exception, SystemExit):
            logger.exception("%s: %s failed", names[impl.plugin_name], hook)
            continue
        if found is not None:
            return found
    return otherwise


def observed(manager: pluggy.PluginManager) -> bool:
    """Whether any plugin has a hook for observers."""
    names = (*OBSERVERS.values(), STEP_FAILED)
    return any(getattr(manager.hook, name).get_hookimpls() for name in names)


def hook_of(event: Event) -> str | None:
    """The observers' hook that tells of an event, or None where none does."""
    if event.step is not None and event.failed:
        return STEP_FAILED
    return OBSERVERS.get((event.step is not None, Phase(event.phase)))
