"""The kind as the engine has it, in the process of the tests."""

import pytest

from wf_core.plugins import LoadedKind, Registry
from wf_core.testing.conformance.world import World


def taken(world: World) -> LoadedKind:
    """The world's kind; skips the check where the engine does not take it: another one says why."""
    kind = world.kind()
    found = Registry.of([kind]).kinds.get(getattr(kind, "name", ""))
    if found is None:
        pytest.skip("the engine does not take the kind: see test_the_engine_takes_the_kind")
    return found
