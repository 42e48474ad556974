"""`make cluster` and `make node`: a Kubernetes for people to try things on, until ctrl-C."""

import argparse
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.cluster import images, machine, node
from tests.cluster.binaries import (
    CONTROL_PLANE,
    HELM,
    NODE,
    AssetMissingError,
    UnavailableError,
    find,
)
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.kubectl import Kubectl


def main() -> int:
    """Bring the control plane up, print the path of the kubeconfig, wait to be ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument(
        "--durable", action="store_true", help="etcd waits for the disk at every write"
    )
    parser.add_argument(
        "--prepare", action="store_true", help="find or build the programs, or say why not; no more"
    )
    parser.add_argument("--node", action="store_true", help="with a node, so that pods run")
    options = parser.parse_args()
    durable: bool = options.durable
    # SIGINT too: a shell's background job begins with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, as_ctrl_c)
    try:
        if options.prepare:
            find(CONTROL_PLANE + HELM + (NODE if options.node and can_be_a_node() else ()), say)
            return 0
        if options.node:
            machine.make_ready(say)
        programs = find(CONTROL_PLANE + NODE if options.node else CONTROL_PLANE, say)
        with (
            tempfile.TemporaryDirectory(prefix="wf-cluster-") as folder,
            running(programs, Path(folder) / "plane", durable=durable) as plane,
            pods_on(programs, plane, Path(folder), wanted=options.node) as what,
        ):
            say(f"ready at {plane.url}; {what}; ctrl-C stops it")
            print(plane.kubeconfig(), flush=True)
            say(f"try: {programs['kubectl']} --kubeconfig {plane.kubeconfig()} get namespaces")
            while True:
                plane.check()
                time.sleep(1)
    except KeyboardInterrupt:
        say("stopped")
        return 0
    except UnavailableError as error:
        say(str(error))
        return 0 if options.prepare else 1
    except (AssetMissingError, RuntimeError, TimeoutError) as error:
        say(str(error))
        return 1


def can_be_a_node() -> bool:
    """Whether pods can run on this machine; if not, says why."""
    try:
        machine.make_ready(say)
    except UnavailableError as error:
        say(str(error))
        return False
    return True


@contextmanager
def pods_on(
    programs: Mapping[str, Path], plane: ControlPlane, folder: Path, *, wanted: bool
) -> Iterator[str]:
    """A node where one is wanted; says what becomes of pods."""
    if not wanted:
        yield "it has no nodes, so pods stay Pending"
        return
    kubectl = Kubectl(programs["kubectl"], plane.kubeconfig(), folder)
    archives = images.write_all(folder / "images")
    with node.running(programs, plane, folder / "node", kubectl, archives) as ours:
        load = shlex.join([*ours.ctr_command(), "images", "import"])
        yield f"pods run, with the image {images.OWN_BUSYBOX} and what you load: {load} FILE"


def as_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    """However it is asked to end, it ends in order."""
    raise KeyboardInterrupt


def say(text: str) -> None:
    """Tell the person; standard output is left to the path."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
