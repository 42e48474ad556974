"""Giving disk back once workflows are gone: pages of the file, its log, and their steps' folders.

What is removed leaves free pages in the file, which the next workflows use. Where they are the
greater part, the file is written anew (VACUUM): that costs less than what it gives back. (Giving
pages back a few at a time looks for each of them in the list of all: tried, and ten times slower.)
"""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from wf_core.adapters.sqlite.failures import BUSY_SECONDS

logger = logging.getLogger("wf.store")
WORTHWHILE = 1024 * 1024
"""Bytes that must be free before any are given back."""

MOST_WRITTEN = 256 * 1024 * 1024
"""Bytes that are written anew at most: nobody else can save meanwhile."""

LOG_KEPT = 4 * 1024 * 1024
"""Bytes that the write-ahead log keeps once it was written into the file."""


def steps_folder(database: Path) -> Path:
    """Where steps of the workflows in a file keep files of their own."""
    return database.with_name(f"{database.name}.steps")


def is_worthwhile(connection: sqlite3.Connection) -> bool:
    """Whether giving back what is free is worth its cost."""
    page = _number(connection, "page_size")
    free = _number(connection, "freelist_count") * page
    used = _number(connection, "page_count") * page - free
    return free >= WORTHWHILE and used <= min(free, MOST_WRITTEN)


def give_back(path: Path) -> None:
    """Write the file anew, on a connection of its own. What keeps it from that is logged: the next
    removal tries again."""
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as own:
            if is_worthwhile(own):
                own.execute("VACUUM")
            own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        logger.warning("%s is not made smaller yet: %s", path, error)


def remove_steps(database: Path, uid: str) -> None:
    """Remove what the steps of a workflow that is gone kept. What can't be removed is logged."""
    root = steps_folder(database)
    folder = root / uid
    if folder.parent != root or uid in ("", ".", "..") or not os.path.isdir(folder):  # noqa: PTH112
        return
    if root.is_symlink():
        logger.warning("%s of a removed workflow stays: %s is a link", folder, root)
        return
    try:
        shutil.rmtree(folder)
    except OSError as error:
        logger.warning("%s of a removed workflow stays: %s", folder, error)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
