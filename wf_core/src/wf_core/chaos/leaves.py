"""What a run that was undone left behind below a path: whatever is not as it was before."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from wf_core.errors import AuthorError

MOST_ENTRIES = 20_000
MOST_BYTES = 1024**3
SHOWN = 20

Seen = Mapping[str, str]
"""What each path below the one that is compared was: its type, its mode and its content."""


def seen(path: Path) -> Seen:
    """Everything at and below `path`; nothing where it is not there.

    Raises AuthorError where it is too much to compare after each run, or can't be read.
    """
    found: dict[str, str] = {}
    room = MOST_BYTES
    try:
        for each in _entries(path):
            about = each.lstat()
            if stat.S_ISREG(about.st_mode):
                room -= about.st_size
            if len(found) >= MOST_ENTRIES or room < 0:
                raise AuthorError(
                    f"--leaves {path}: holds more than {MOST_ENTRIES:,} files or 1 GiB, too much "
                    "to compare after each run; name the folder in which the steps work"
                )
            name = str(each.relative_to(path.parent))
            found[name] = f"{about.st_mode:o} {_content(each, about.st_mode)}"
    except OSError as error:
        raise AuthorError(
            f"--leaves {path}: can't read {error.filename}: {error.strerror}"
        ) from error
    return found


def left(before: Seen, after: Seen) -> str | None:
    """What is not as it was, in a sentence; None where all is."""
    changes = [
        *(f"left: {name}" for name in after if name not in before),
        *(f"gone: {name}" for name in before if name not in after),
        *(f"changed: {name}" for name in before if after.get(name, before[name]) != before[name]),
    ]
    if not changes:
        return None
    more = f" and {len(changes) - SHOWN:,} more" if len(changes) > SHOWN else ""
    return ", ".join(changes[:SHOWN]) + more


def _entries(path: Path) -> Iterator[Path]:
    if not path.is_symlink() and not path.exists():
        return
    yield path
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path, onerror=_raise):
            for name in sorted((*folders, *files)):
                yield Path(folder, name)


def _raise(error: OSError) -> None:
    raise error


def _content(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return str(path.readlink())
    if not stat.S_ISREG(mode):
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
