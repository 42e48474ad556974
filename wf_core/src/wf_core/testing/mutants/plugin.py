"""A plugin of pytest: lets the mutant that the environment names live for the whole run."""

import contextlib
import os

import pytest

from wf_core.testing.mutants.every import by_name
from wf_core.testing.mutants.hunt import MUTANT
from wf_core.testing.mutants.mutant import applied


def pytest_configure(config: pytest.Config) -> None:
    """Apply it before anything is collected."""
    stack = contextlib.ExitStack()
    stack.enter_context(applied(by_name(os.environ[MUTANT])))
    config.add_cleanup(stack.close)
