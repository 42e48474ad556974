"""A command line of a test's own."""

from pathlib import Path

import pytest
from tests.core.cli.made import Shell


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    return Shell.made(tmp_path, capsys, monkeypatch)
