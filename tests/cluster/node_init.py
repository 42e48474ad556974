"""The first process of a node's namespaces: covers folders, then buries the dead.

`node_init.py FOLDER INSIDE COVERED...`; its end is the end of every process in the namespace.
"""

import os
import subprocess
import sys
import time
from pathlib import Path


def main(folder: Path, inside: Path, covered: list[str]) -> None:
    """Cover the folders, have `folder` as `inside` too, say so by the file `ready`, and wait for
    orphans without end."""
    # Pods may ask for mounts that are shared with the node; these stay among themselves.
    mount("--make-rshared", "/")
    for name in covered:
        upper, work = folder / "covered" / name, folder / "working" / name
        upper.mkdir(parents=True)
        work.mkdir(parents=True)
        layers = f"lowerdir=/{name},upperdir={upper},workdir={work}"
        mount("-t", "overlay", "overlay", "-o", layers, f"/{name}")
    inside.mkdir(parents=True)
    mount("--bind", str(folder), str(inside))
    (folder / "ready").touch()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(0.5)  # Nobody is left to wait for, yet.


def mount(*arguments: str) -> None:
    """Mount, or end with mount's own words."""
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
