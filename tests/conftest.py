"""What holds for every test."""

import logging
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is at drawing and running examples says nothing of the code: the bounds that
# Hypothesis has by default on both would fail on a busy one.
settings.register_profile("wf", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wf")

# A shell's background job begins with these ignored, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _log_levels_end_with_their_test() -> Iterator[None]:
    """A command that a test calls within this process says what is logged."""
    logger = logging.getLogger("wf")
    level = logger.level
    yield
    logger.setLevel(level)
