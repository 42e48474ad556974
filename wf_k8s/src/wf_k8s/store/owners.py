"""Who owns workflows, and whether they live: asked through a port, as it differs.

A controller leads by a Lease and owns everything; a `wf run` on somebody's machine owns what it
claimed, by the lock on a file there.
"""

import platform
import re
from pathlib import Path
from typing import Protocol

from wf_core.adapters.sqlite.ownership import Ownership
from wf_core.folders import make_private


class Owners(Protocol):
    """`id` is who this process is. With `leads`, a Lease says who owns: claims are not given up one
    by one. `least_epoch` is the Lease's count of transitions: claims are above it."""

    @property
    def id(self) -> str: ...

    @property
    def leads(self) -> bool: ...

    @property
    def least_epoch(self) -> int: ...

    @property
    def owns(self) -> bool:
        """Whether what was claimed is still ours, as far as that can be told without asking."""

    def hold(self) -> None:
        """Before the first claim: be alive for others to see. Raises OSError."""

    async def live(self, owner: str) -> str | None:
        """A name for another owner while it lives; None once it is dead. Raises OSError, and
        StoreUnavailable where that has to be asked for and can't be."""

    def drop(self) -> None:
        """Be dead for others to see."""


class MachineOwners:
    """Owners on this machine, each alive while it holds the lock of its file in `folder`. Whoever
    is on another machine can't be looked at, and counts as alive until it gives its claims up."""

    leads = False
    least_epoch = 0
    owns = True  # the lock lasts as long as the process

    def __init__(self, folder: Path, machine: str | None = None) -> None:
        self._machine = re.sub(r"[^A-Za-z0-9-]", "-", machine or platform.node() or "here")[:63]
        self._files = Ownership(folder / "k8s")
        self._folder = folder
        self.id = f"{self._machine}.{self._files.id}"

    def hold(self) -> None:
        """As `Owners.hold`."""
        make_private(self._folder)
        self._files.hold()

    async def live(self, owner: str) -> str | None:
        """As `Owners.live`."""
        machine, _, lock = owner.rpartition(".")
        if machine == self._machine:
            return self._files.live(lock)
        return f"'{owner}'"

    def drop(self) -> None:
        """As `Owners.drop`."""
        self._files.drop()
