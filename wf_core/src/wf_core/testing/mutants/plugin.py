"""A plugin of pytest: lets the mutant that the environment names live for the whole run."""

import contextlib
import os

import pytest

from wf_core.testing.mutants.hunt import MUTANT
from wf_core.testing.mutants.mutant import applied, from_text


def pytest_configure(config: pytest.Config) -> None:
    """Apply it before anything is collected."""
    stack = contextlib.ExitStack()
    stack.enter_context(applied(from_text(os.environ[MUTANT])))
    config.add_cleanup(stack.close)
