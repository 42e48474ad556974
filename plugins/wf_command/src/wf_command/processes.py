"""What the operating system says about processes: from /proc on Linux, from `ps` elsewhere."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs

PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"
ON_LINUX = BOOT.exists()
_DEAD = frozenset("ZX")


@attrs.frozen
class Process:
    """A process that still runs. `began` differs when its id was given to another process."""

    pid: int
    group: int
    began: str


def parse_stat(line: str, boot: str) -> Process | None:
    """A line of /proc/PID/stat; None where it is cut short, or the process has ended."""
    head, _, rest = line.rpartition(")")
    fields = rest.split()
    if not head or len(fields) < 20 or fields[0] in _DEAD:
        return None
    return Process(int(head.split()[0]), int(fields[2]), f"{fields[19]}@{boot.strip()}")


def members(group: int) -> list[Process]:
    """The processes of a group that still run."""
    return [process for process in running() if process.group == group]


def holders(path: Path) -> list[int]:
    """Ids of other processes that hold `path` open, where the system lets us see that."""
    if not ON_LINUX:
        return []
    wanted = path.stat()
    own = os.getpid()
    return [pid for pid in _pids() if pid != own and _holds(pid, wanted.st_dev, wanted.st_ino)]


def command_of(pid: int) -> str:
    """The short name of a process, or nothing where it is gone."""
    return _read(PROC / str(pid) / "comm").strip()


def has_variable(pid: int, name: str, value: str) -> bool:
    """Whether a process was started with this environment variable, where we may see that."""
    entries = _read(PROC / str(pid) / "environ").split("\0")
    return f"{name}={value}" in entries


def running() -> Iterator[Process]:
    """Every process of this machine that still runs."""
    if not ON_LINUX:
        yield from _from_ps()
        return
    boot = BOOT.read_text()
    for pid in _pids():
        line = _read(PROC / str(pid) / "stat")
        process = parse_stat(line, boot) if line else None
        if process is not None:
            yield process


def _from_ps() -> Iterator[Process]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat=,lstart="],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    )
    for line in listed.stdout.splitlines():
        pid, group, state, began = line.split(maxsplit=3)
        if state[0] not in _DEAD:
            yield Process(int(pid), int(group), began.strip())


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _read(path: Path) -> str:
    """The text of a file of /proc; nothing where the process is gone or another user's."""
    try:
        return path.read_text(errors="surrogateescape")
    except OSError:
        return ""


def _holds(pid: int, device: int, inode: int) -> bool:
    try:
        entries = list((PROC / str(pid) / "fd").iterdir())
    except OSError:  # the process is gone, or another user's
        return False
    return any(_is_file(entry, device, inode) for entry in entries)


def _is_file(entry: Path, device: int, inode: int) -> bool:
    try:
        found = entry.stat()
    except OSError:  # closed meanwhile
        return False
    return (found.st_dev, found.st_ino) == (device, inode)
