"""Removes the control groups of containers that were killed: `node_sweep.py STATE SECONDS`.

Run after all of a node's processes got their SIGKILL. STATE is containerd's state folder, which
names the containers that were not removed in order; SECONDS is how long what is busy is awaited. It
is run by itself and can't import anything of ours.
"""

import contextlib
import sys
import time
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
TASKS = "io.containerd.runtime.v2.task/k8s.io"


def main(state: Path, patience: float) -> int:
    """Remove what is left of each container; 1 where something can't be removed."""
    deadline = time.monotonic() + patience
    names = [entry.name for entry in (state / TASKS).glob("*")]
    while left := [group for name in names for group in groups_of(name)]:
        for group in left:
            try:
                group.rmdir()
            except OSError as error:  # Busy: some process is not quite dead.
                if time.monotonic() > deadline:
                    print(f"a control group is left behind: {error}", file=sys.stderr)
                    return 1
        time.sleep(0.02)
    for parent in (*GROUPS.glob("*/k8s.io"), *GROUPS.glob("k8s.io")):
        with contextlib.suppress(OSError):  # Containers of another node are in it.
            parent.rmdir()
    return 0


def groups_of(container: str) -> list[Path]:
    """Its control groups, in either version's tree, the innermost first."""
    roots = [*GROUPS.glob(f"*/k8s.io/{container}"), *GROUPS.glob(f"k8s.io/{container}")]
    within = [each for root in roots for each in (*root.glob("**/"), root) if each.is_dir()]
    return sorted(within, key=lambda each: len(each.parts), reverse=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
