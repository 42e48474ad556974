"""Where relative paths of a workflow begin on this machine: finding that folder, and judging it."""

import errno
import os
from pathlib import Path

from wf_core.errors import OperatorError
from wf_core.model.state import Folder

PRIVATE = 0o700
"""The mode of every folder that wf makes for itself."""


def here() -> Folder:
    """The current folder and account. Raises OperatorError where that folder was deleted."""
    try:
        return Folder(str(Path.cwd()), os.getuid())
    except FileNotFoundError:
        raise OperatorError(
            "the current folder was deleted, and the workflow's relative paths begin there; "
            "change to another folder, then try again"
        ) from None


def unusable(folder: Folder, workflow: object) -> str | None:
    """Why commands of `workflow` can't run in its folder, and what to do; None if they can.

    What another account submitted is not run with our rights in a folder of its choice.
    """
    own = os.getuid()
    if folder.user != own:
        return (
            f"the workflow was submitted from {folder.path} by another account (user id "
            f"{folder.user}; this is {own}): run it as that account, or name a folder "
            f"for it with `wf folder {workflow} PATH`"
        )
    if not Path(folder.path).is_dir():
        return (
            f"the folder {folder.path}, which the workflow was submitted from, is gone: put it "
            f"back and run `wf retry {workflow}`, or name another with `wf folder {workflow} PATH`"
        )
    return None


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this account alone: `mkdir` gives a
    mode to the last one only. One that is there stays as it is. Raises OSError."""
    for each in reversed([folder, *folder.parents]):
        if not each.is_dir():
            each.mkdir(mode=PRIVATE, exist_ok=True)


def make_own(folder: Path) -> None:
    """As `make_private`, and not by way of a link, which somebody else may have put there to have
    our files made, or removed, in another place. Raises OSError."""
    make_private(folder)
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "is a link and must be a folder: remove it", str(folder))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this account may read, and no other one by way of a link. Raises
    OSError."""
    flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(path, flags, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(content)
