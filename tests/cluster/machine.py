"""What a machine must have to be a node, and be able to do."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.cluster.binaries import UnavailableError
from tests.cluster.debian import attempt, install, last_line, there

PACKAGES: Mapping[str, str] = {
    "runc": "runc",
    "busybox": "busybox-static",
    "ip": "iproute2",
    "iptables": "iptables",
}
"""Programs that are taken from the machine, and Debian's packages that have them."""

CONTROLLERS = Path("/sys/fs/cgroup")


def make_ready(say: Callable[[str], None]) -> None:
    """Install what is missing. Raises UnavailableError, with the reason, where this machine can't
    be a node."""
    if sys.platform != "linux":
        raise UnavailableError("a node needs Linux")
    if os.geteuid() != 0:
        raise UnavailableError("a node needs root, for mounts and network interfaces")
    if missing := [package for program, package in PACKAGES.items() if not there(program)]:
        install(missing, say)
    if lacking := [program for program in PACKAGES if not there(program)]:
        raise UnavailableError(
            f"{', '.join(lacking)} can't be found, though installed; put /usr/sbin on the PATH"
        )
    if not any(CONTROLLERS.glob("memory")) and not (CONTROLLERS / "cgroup.controllers").exists():
        raise UnavailableError(f"a node needs control groups, and none are at {CONTROLLERS}")
    if not is_static(Path(shutil.which("busybox") or "")):
        raise UnavailableError("the machine's busybox needs libraries; install busybox-static")
    try_out()


def is_static(program: Path) -> bool:
    """Whether an ELF program runs without any library, so in an image that has none."""
    done = attempt(["ldd", str(program)])
    return "not a dynamic executable" in done.stdout + done.stderr or "statically" in done.stdout


def try_out() -> None:
    """Do for a moment what a node does; UnavailableError where the machine refuses."""
    with tempfile.TemporaryDirectory(prefix="wf-node-") as name:
        for layer in ("lower", "upper", "work", "seen"):
            (Path(name) / layer).mkdir()
        layers = f"lowerdir={name}/lower,upperdir={name}/upper,workdir={name}/work"
        overlay = f"mount -t overlay overlay -o {layers} {name}/seen"
        tries = {
            "namespaces and overlay mounts": [
                *("unshare", "--mount", "--pid", "--net", "--mount-proc", "--fork", "--"),
                *("sh", "-c", f"{overlay} && ip link add wftry type bridge"),
            ],
            "address translation": ["iptables", "-w", "-t", "nat", "-L", "-n"],
        }
        for what, command in tries.items():
            done = attempt(command)
            if done.returncode:
                raise UnavailableError(f"a node needs {what}, refused here: {last_line(done)}")
