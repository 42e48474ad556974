"""Stories of schedules run on virtual time, as those of the engine do."""

from tests.core.engine.conftest import pytest_pyfunc_call

__all__ = ["pytest_pyfunc_call"]
