"""Who is alive: every owner holds a lock on a file of its own (semantics C6).

A lock dies with its process, whatever killed it; a pid could be reused, and a timestamp would make
`wf resume` wait. Some file systems grant every lock and keep nobody out: whoever takes one there
is told so, since two could run one workflow at once.
"""

import contextlib
import errno
import fcntl
import os
import re
import uuid
from pathlib import Path
from time import sleep

from wf_core.adapters.own_files import close_own, open_own
from wf_core.folders import make_own

SERVING = "serving"
"""The file whose lock the one process holds that serves the database."""

_ID = re.compile(r"[\w-]{1,64}")
_MOMENT = 0.001
"""Seconds before the lock of one who serves is tried again."""


class Ownership:
    """The lock files beside one database. An id whose file is gone or unlocked is dead."""

    def __init__(self, database: Path) -> None:
        self.id = uuid.uuid4().hex
        self.folder = database.with_name(f"{database.name}.owners")
        self._held: int | None = None
        self._serving: int | None = None

    def hold(self) -> None:
        """Lock our own file, on the first claim. Raises OSError."""
        if self._held is not None:
            return
        make_own(self.folder)
        self._sweep()
        while self._held is None:
            file = open_own(self._path(self.id), os.O_CREAT | os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                # Somebody may have swept it away between our open and our lock.
                if self._is_current(file):
                    _check_locks(self._path(self.id))
                    os.pwrite(file, str(os.getpid()).encode(), 0)
                    self._held = file
            finally:
                if self._held is None:
                    close_own(file)

    def live(self, owner: str) -> str | None:
        """A name for `owner` ("process 123 on this machine") while it lives; None once it is dead.

        What a dead owner left is removed. Raises OSError.
        """
        if not _ID.fullmatch(owner):
            return None  # no wf wrote it, and it could name a file anywhere
        path = self._path(owner)
        try:
            file = open_own(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            # A shared lock, so that two who ask at once don't take each other for the owner.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _name(file)
        else:
            with contextlib.suppress(PermissionError):  # whoever only reads leaves it there
                path.unlink(missing_ok=True)
            return None
        finally:
            close_own(file)

    def serve(self) -> str | None:
        """Lock the file of the one process that serves the database; the name of another that does.
        Raises OSError."""
        if self._serving is not None:
            return None
        make_own(self.folder)
        file = open_own(self.folder / SERVING, os.O_CREAT | os.O_RDWR)
        try:
            while not _locked(file, fcntl.LOCK_EX):
                # Somebody may only have asked who serves, by a shared lock that goes in a moment.
                if not _locked(file, fcntl.LOCK_SH):
                    return _name(file)
                fcntl.flock(file, fcntl.LOCK_UN)
                sleep(_MOMENT)
            _check_locks(self.folder / SERVING)
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
            self._serving = file  # it is never removed: a lock on a removed file keeps nobody out
        finally:
            if self._serving is None:
                close_own(file)
        return None

    def served_by(self) -> str | None:
        """The name of the other process that serves the database, if one does. Raises OSError."""
        if self._serving is not None:
            return None
        try:
            file = open_own(self.folder / SERVING, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            return None if _locked(file, fcntl.LOCK_SH) else _name(file)
        finally:
            close_own(file)

    def drop(self) -> None:
        """Give up our own locks, and with them every claim."""
        if self._serving is not None:
            close_own(self._serving)
            self._serving = None
        if self._held is None:
            return
        self._path(self.id).unlink(missing_ok=True)
        close_own(self._held)
        self._held = None

    def _path(self, owner: str) -> Path:
        return self.folder / f"{owner}.lock"

    def _is_current(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path(self.id).stat())
        except FileNotFoundError:
            return False

    def _sweep(self) -> None:
        """Remove what dead owners left."""
        for path in sorted(self.folder.glob("*.lock")):
            self.live(path.stem)


def _locked(file: int, kind: int) -> bool:
    """Lock a file without waiting; False where another process's lock is in the way."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_locks(path: Path) -> None:
    """Raises OSError where the lock that we hold on that file keeps nobody out: not even us, who
    have it open a second time."""
    again = open_own(path, os.O_RDONLY)
    try:
        if _locked(again, fcntl.LOCK_SH):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK), str(path))
    finally:
        close_own(again)


def _name(file: int) -> str:
    """Who holds a lock file."""
    pid = os.pread(file, 32, 0).decode(errors="replace")
    return f"process {pid} on this machine" if pid else "another process on this machine"
