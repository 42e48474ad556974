"""The shim `file_calls.c` from Python: how it is built, armed, and what it recorded."""

import ctypes
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import attrs
import pytest

SOURCE = Path(__file__).with_name("file_calls.c")
_HEAD = struct.Struct("=c3xiqq")


class Mode(IntEnum):
    """What the shim does; the numbers stand in the C file too."""

    WATCH = 0
    KILL_BEFORE = 1  # the n-th call
    KILL_AFTER = 2
    FULL = 3  # no room from the n-th call on
    FULL_AFTER_HALF = 4  # the same, and the first write that lacks room is cut short
    SYNC_FAILS = 5  # the n-th fsync alone, as a failing disk


@attrs.frozen
class Call:
    """One call that changed a file, or (`n`) a note that the process made in between."""

    what: str  # as in the C file
    path: str
    offset: int
    data: bytes = attrs.field(repr=False)


def built(folder: Path) -> Path:
    """The shim as a shared library; skips the test where that can't be."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler `cc`: the shim that stops system calls can't be built")
    library = folder / "file_calls.so"
    made = subprocess.run(
        [compiler, "-O1", "-Wall", "-shared", "-fPIC", "-o", library, SOURCE, "-lpthread"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"the shim that stops system calls is for Linux on x86-64: {made.stderr[:300]}")
    return library


class Shim:
    """The shim in this process, which was started with it in LD_PRELOAD."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(os.environ["LD_PRELOAD"])
        self._library.calls_refused.restype = ctypes.c_long

    def arm(self, below: Path, records: Path, mode: Mode, n: int) -> None:
        """Start with calls on files below a folder; `n` counts them from 1."""
        file = os.open(records, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._library.calls_arm(os.fsencode(below), file, int(mode), ctypes.c_long(n))

    def release(self) -> None:
        """Only watch from here on: there is room again."""
        self._library.calls_release()

    @property
    def refused(self) -> int:
        """How many calls were refused since it was armed."""
        return int(self._library.calls_refused())

    def note(self, text: str) -> None:
        """Put a remark between the records."""
        self._library.calls_note(text.encode())


def recorded(records: Path) -> list[Call]:
    """What was recorded, in the order in which it happened."""
    return list(_parsed(records.read_bytes()))


def _parsed(body: bytes) -> Iterator[Call]:
    at = 0
    while at < len(body):
        what, path_bytes, offset, data_bytes = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        path = body[at : at + path_bytes].decode()
        at += path_bytes
        yield Call(what.decode(), path, offset, body[at : at + data_bytes])
        at += data_bytes
