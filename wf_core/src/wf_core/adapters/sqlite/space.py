"""Giving disk back once workflows are gone: pages of the file, its log, and their steps' folders.

What is removed leaves free pages in the file. They are given back in short transactions, between
which others write; a file from before that was possible is written anew, at a cost that is at most
what it gives back.
"""

import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from wf_core.adapters.sqlite.failures import BUSY_SECONDS

logger = logging.getLogger("wf.store")
INCREMENTAL = 2
"""The value of `PRAGMA auto_vacuum` with which pages can be given back a few at a time."""

WORTHWHILE = 1024 * 1024
"""Bytes that must be free before any are given back."""

PAGES_AT_ONCE = 1_000
LOG_KEPT = 4 * 1024 * 1024
"""Bytes that the write-ahead log keeps once it was written into the file."""


def steps_folder(database: Path) -> Path:
    """Where steps of the workflows in a file keep files of their own."""
    return database.with_name(f"{database.name}.steps")


def free_bytes(connection: sqlite3.Connection) -> int:
    """What could be given back."""
    return _number(connection, "freelist_count") * _number(connection, "page_size")


def give_back(path: Path) -> None:
    """Shrink the file, on a connection of its own. What keeps it from that is logged: the next
    removal tries again."""
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as own:
            if _number(own, "auto_vacuum") == INCREMENTAL:
                while _number(own, "freelist_count"):
                    own.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
            elif _number(own, "freelist_count") * 2 > _number(own, "page_count"):
                own.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
                own.execute("VACUUM")
            own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        logger.warning("%s is not made smaller yet: %s", path, error)


def remove_steps(database: Path, uid: str) -> None:
    """Remove what the steps of a workflow that is gone kept. What can't be removed is logged."""
    root = steps_folder(database)
    folder = root / uid
    if folder.parent != root or uid in ("", ".", "..") or not folder.is_dir():
        return

    try:
        shutil.rmtree(folder)
    except OSError as error:
        logger.warning("%s of a removed workflow stays: %s", folder, error)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
