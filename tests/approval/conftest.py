"""Stories (`async def test_...`) run on virtual time, as the engine's do."""

from tests.core.cli.conftest import shell
from tests.core.engine.conftest import pytest_pyfunc_call

__all__ = ["pytest_pyfunc_call", "shell"]
