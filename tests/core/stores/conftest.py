"""The database of a test."""

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where it is, once somebody makes it."""
    return tmp_path / "wf.db"
