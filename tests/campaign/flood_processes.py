"""The process of the hostile authors, and what processes use of the machine."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import attrs
from benchmarks.k8s.process import Process
from tests.campaign.flood_attacks import Json
from tests.campaign.flood_kubelet import Kubelet

ROOT = Path(__file__).parents[2]


class Authors:
    """The process of the hostile authors, while it runs."""

    def __init__(self, orders: Json, log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.campaign.flood_authors"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        self.done: Json = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.done = json.loads(line)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def flooding(self) -> bool:
        """Whether it runs still."""
        return self._process.poll() is None

    def end(self) -> Json:
        """Have them end; what they did."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        if code:
            self.done.setdefault("broken", []).append(f"the authors' process ended with {code}")
        return self.done


@attrs.define
class Usage:
    """Seconds of CPU by process, and of the whole machine, since it was made."""

    pids: Mapping[str, int]
    kubelet: Kubelet
    began: float = attrs.field(factory=time.monotonic)
    before: dict[str, float] = attrs.field(init=False)
    machine: tuple[float, float] = attrs.field(factory=lambda: _machine())

    def __attrs_post_init__(self) -> None:
        self.before = self._now()

    def _now(self) -> dict[str, float]:
        found = {who: Process(pid).cpu() for who, pid in self.pids.items()}
        return {"controller": self.kubelet.cpu(), **found}

    def shares(self) -> tuple[dict[str, float], float]:
        """Per cent of the machine: of each process, and all that was used of it."""
        whole = (time.monotonic() - self.began) * (os.cpu_count() or 1) / 100
        used, idle = (now - then for now, then in zip(_machine(), self.machine, strict=True))
        now = self._now()
        shares = {who: (now[who] - self.before[who]) / whole for who in now}
        return shares, 100 * used / (used + idle)


def _machine() -> tuple[float, float]:
    """What was used of the machine, and what was not."""
    words = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, idle, wait, *others = (float(each) for each in words)
    return user + nice + system + sum(others), idle + wait
