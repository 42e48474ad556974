"""Which processes of this machine have to do with a folder."""

import time
from pathlib import Path

import pytest
from tests.patience import PATIENCE

PROC = Path("/proc")


def naming(folder: Path) -> list[int]:
    """The ids of the processes whose command line names the folder; skips where there is no
    /proc to look at."""
    if not PROC.is_dir():
        pytest.skip("there is no /proc to find processes in")
    return [
        int(entry.name)
        for entry in PROC.iterdir()
        if entry.name.isdecimal() and str(folder).encode() in command_line(entry)
    ]


def command_line(entry: Path) -> bytes:
    """The command line of a process, or nothing where it has ended meanwhile."""
    try:
        return (entry / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def await_none_naming(folder: Path) -> None:
    """Return once no process names the folder."""
    deadline = time.monotonic() + PATIENCE
    while left := naming(folder):
        assert time.monotonic() < deadline, f"processes left behind: {left}"
        time.sleep(0.05)
