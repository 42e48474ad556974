"""A limit of memory that the kernel enforces, as a container has it: a control group."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


@attrs.frozen
class Confinement:
    """`before` goes before a command that is to be confined. `how` says what limits it; `killed`
    counts what the kernel killed for it, where it tells."""

    before: tuple[str, ...]
    how: str
    folder: Path | None = None

    def killed(self) -> int:
        """How often the kernel killed for want of memory."""
        if self.folder is None:
            return 0
        for name in ("memory.events", "memory.oom_control"):
            file = self.folder / name
            if file.exists():
                words = dict(line.split() for line in file.read_text().splitlines())
                return int(words.get("oom_kill", 0))
        return 0


@contextmanager
def confined(limit: int, name: str) -> Iterator[Confinement]:
    """At most `limit` bytes for what runs in it: in a new control group below our own, so that our
    own limits hold too. Where none can be made nothing is limited, and `how` says so: RLIMIT_AS
    would count addresses, which threads and maps take without having memory."""
    made = _make(limit, name)
    if isinstance(made, str):
        yield Confinement((), f"not enforced ({made}): VmHWM is watched alone")
        return
    group, how = made
    script = f'echo $$ > "{group}/cgroup.procs" && exec "$@"'
    try:
        yield Confinement(("sh", "-c", script, "sh"), how, group)
    finally:
        group.rmdir()


def _make(limit: int, name: str) -> tuple[Path, str] | str:
    """The group and what it is, or why there is none."""
    if not OWN.exists():
        return "no control groups"
    told = (line.split(":", 2) for line in OWN.read_text().splitlines())
    own = {controllers: path.strip("/") for _, controllers, path in told}
    tries = [
        (ROOT / "memory" / own.get("memory", ""), "memory.limit_in_bytes", "version 1"),
        (ROOT / own.get("", ""), "memory.max", "version 2"),
    ]
    why = "no controller of memory"
    for parent, file, version in tries:
        if not (parent / "cgroup.procs").exists():
            continue
        group = parent / name
        try:
            group.mkdir()
        except OSError as error:
            why = str(error)
            continue
        if (group / file).exists():
            (group / file).write_text(str(limit))
            return group, f"by a control group of {version}, {file} {limit // 2**20} MiB"
        group.rmdir()
    return why
