"""Where relative paths of a workflow begin on this machine: finding that folder, and judging it."""

import os
from pathlib import Path

from wf_core.errors import OperatorError
from wf_core.model.state import Folder


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
