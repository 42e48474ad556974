"""A command line of a test's own."""

from pathlib import Path

import pytest
from tests.core.cli.made import Shell


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    for name in ("WF_STORE", "WF_CONFIG", "WF_NAMESPACE", "WF_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    made = Shell(tmp_path, capsys)
    monkeypatch.setenv("WF_STORE", made.url)
    return made
