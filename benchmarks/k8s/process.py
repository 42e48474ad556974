"""What a process has used, as /proc tells."""

import os
from pathlib import Path

import attrs


@attrs.frozen
class Process:
    """A process by its id."""

    pid: int

    def cpu(self) -> float:
        """Seconds of CPU so far, its own and the kernel's for it."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """Megabytes of memory that it has."""
        return self._status("VmRSS")

    def peak(self) -> float:
        """The most megabytes that it ever had."""
        return self._status("VmHWM")

    def _status(self, field: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0]) * 1024 / 1e6
        raise RuntimeError(f"/proc/{self.pid}/status has no {field}")
