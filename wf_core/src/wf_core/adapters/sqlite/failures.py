"""Errors of SQLite and of the file system, as sentences with a next step."""

import errno
import os
import sqlite3
from pathlib import Path

from wf_core.errors import GOES_ON, EngineError, StoreForeign, StoreUnavailable, WfError

BUSY_SECONDS = 10.0
"""How long an operation waits for another process's write."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What file systems answer that have no locks, or none here."""
_LOCKS_FAILED = (
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_IOERR_RDLOCK,
    sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
)


def mount_of(path: Path) -> Path:
    """The mount point of the file system that `path` is on."""
    place = path.parent
    while not os.path.ismount(place) and place != place.parent:
        place = place.parent
    return place


def translate(error: sqlite3.Error, path: Path) -> WfError:
    """What to raise for `error` on the store at `path`."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return _no_room(path)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return StoreUnavailable(
            f"{path} may not be written: make the file and its folder {path.parent} writable for "
            "this user, or choose another place with `--store sqlite:PATH`"
        )
    if primary == sqlite3.SQLITE_CANTOPEN:
        return StoreUnavailable(
            f"{path} can't be opened: make sure that its folder {path.parent} exists, is writable "
            "for this user and on a disk with free space, or choose another place with "
            "`--store sqlite:PATH`"
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreUnavailable(
            f"{path} was locked by another process for more than {BUSY_SECONDS:g} seconds: end "
            f"what holds it (a backup, a database browser); {GOES_ON}"
        )
    if code in _LOCKS_FAILED:
        return _no_locks(path, str(error))
    if primary == sqlite3.SQLITE_IOERR:
        return _disk_failed(path, str(error))
    if primary == sqlite3.SQLITE_NOTADB:
        return not_a_database(path)
    if primary == sqlite3.SQLITE_CORRUPT:
        return StoreUnavailable(
            f"{path} is damaged ({error}): restore it from a backup, or save what is readable with "
            f"`sqlite3 {path} .recover`"
        )
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):
        return EngineError(f"the store misused SQLite on {path}: {error}")
    return StoreUnavailable(f"{path}: {error}; fix that; {GOES_ON}")


def from_os(error: OSError, path: Path) -> StoreUnavailable:
    """What to raise when the file system refused something beside the database at `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(path)
    if error.errno == errno.EIO:
        return _disk_failed(path, str(error))
    if error.errno in _NO_LOCKS:
        return _no_locks(path, error.strerror or str(error))
    return StoreUnavailable(
        f"{error.filename or path}: {error.strerror or error}; make {path.parent} a folder that "
        "this user may write to, or choose another place with `--store sqlite:PATH`"
    )


def _no_room(path: Path) -> StoreUnavailable:
    return StoreUnavailable(
        f"no room left to write {path}: free some space on {mount_of(path)}; nothing that was "
        f"saved is lost; {GOES_ON}"
    )


def _no_locks(path: Path, why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{mount_of(path)} is a file system without locks that keep other processes out ({why}), "
        f"so two could run one workflow at once: put the store {path} on a local disk with "
        "`--store sqlite:PATH`"
    )


def _disk_failed(path: Path, why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the disk failed under {path} ({why}): check the disk and its free space; {GOES_ON}"
    )


def not_a_database(path: Path) -> StoreForeign:
    """The file is something else altogether."""
    return StoreForeign(
        f"{path} is not a SQLite file, and was left alone; choose another place with "
        "`--store sqlite:PATH`"
    )
