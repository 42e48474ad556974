"""What a kubelet is to the controller: starts it again when it ends, asks how it is, and tells what
it uses. Each thing that a kubelet would have to put right is a fault."""

import json
import re
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
from benchmarks.k8s.process import Process
from tests.campaign.herd import NEVER
from tests.k8s.controller_process import ControllerProcess, Controllers

TICK = 0.5
PERIODS: Mapping[str, float] = {"/healthz": 1.0, "/readyz": 5.0, "/metrics": 15.0}
"""Seconds between two questions: more often than the chart's probes ask, as often as scrapes do."""
TIMEOUT = 5.0
"""As the chart's probes have it."""
MARGIN = 0.2
"""Seconds by which times of two processes may differ."""
DEAD = 25.0
"""Seconds without a good answer after which the chart's liveness probe has failed three times."""
HELD = re.compile(r"the loop (?:was held for|goes on, after) ([\d.]+) s")


@attrs.define
class Asked:
    """How one page answered. `green` are the times of good answers, asked and got, by the clock on
    the wall, which the controller's log has too."""

    good: int = 0
    bad: int = 0
    longest: float = 0.0
    said: str = ""
    green: list[tuple[float, float]] = attrs.field(factory=list)


@attrs.define
class Kubelet:
    """Keeps one controller, started with these options and settings."""

    controllers: Controllers
    options: Sequence[str]
    settings: Mapping[str, Any]
    asked: dict[str, Asked] = attrs.field(factory=dict)
    restarts: int = 0
    holds: list[tuple[float, float]] = attrs.field(factory=list)
    peak: float = 0.0
    _faults: list[str] = attrs.field(factory=list)
    _now: ControllerProcess | None = None
    _port: int = 0
    _read: int = 0
    _ended: threading.Event = attrs.field(factory=threading.Event)
    _threads: list[threading.Thread] = attrs.field(factory=list)
    _last_good: float = 0.0
    _used: float = 0.0
    _latest: float = 0.0
    _reading: threading.Lock = attrs.field(factory=threading.Lock)

    def start(self) -> None:
        """Start the controller, and look at it until `close`."""
        self.asked = {path: Asked() for path in PERIODS}
        self._start()
        looks: list[Callable[[], None]] = [self._look]
        looks += [lambda path=path: self._ask(path) for path in PERIODS]  # type: ignore[misc]
        periods = [TICK, *PERIODS.values()]
        for look, period in zip(looks, periods, strict=True):
            thread = threading.Thread(target=self._again, args=(look, period), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Look no more, and end the controller."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self.controllers.close()

    @property
    def process(self) -> Process:
        """The controller's, as it is now."""
        assert self._now is not None
        return Process(self._now.process.pid)

    def cpu(self) -> float:
        """Seconds that all controllers have used so far."""
        return self._used + (self._cpu_now() or self._latest)

    def log_size(self) -> int:
        """Bytes that all of them have logged."""
        return sum(each.log.stat().st_size for each in self.controllers.started)

    def take_faults(self) -> list[str]:
        """What went wrong since the last time."""
        self._read_the_log()
        found, self._faults = self._faults, []
        greens = self.asked["/healthz"].green
        for began, ended in self.holds:
            # Nothing that was asked in a hold can be answered in it, but by what is not the loop.
            if any(began < asked and answered < ended - MARGIN for asked, answered in greens):
                seconds = ended - began
                found.append(f"/healthz was green within a hold of the loop of {seconds:.1f} s")
        return found

    def reset(self) -> None:
        """Count anew."""
        self.asked = {path: Asked() for path in PERIODS}
        self.holds = []

    def _start(self) -> None:
        made = self.controllers.leader(*self.options, **self.settings)
        ports = (re.search(r"at port (\d+)", line["message"]) for line in made.lines())
        self._port = next(int(match[1]) for match in ports if match)
        self._read, self._last_good, self._now = 0, time.monotonic(), made

    def _again(self, look: Callable[[], None], period: float) -> None:
        try:
            while not self._ended.wait(period):
                look()
        except Exception as error:
            self._faults.append(f"nobody looks at the controller any more: {error!r}")
            raise

    def _look(self) -> None:
        now = self._now
        assert now is not None
        code = now.process.poll()
        if code is None:
            self.peak = max(self.peak, self._peak_now())
            self._latest = self._cpu_now()
            if time.monotonic() - self._last_good > DEAD:
                self._faults.append(f"/healthz had no good answer for {DEAD:g} s")
                now.process.send_signal(signal.SIGKILL)
            return
        self._read_the_log()
        tail = now.log.read_text()[-600:]
        self._faults.append(f"the controller ended with {code} and was started again: ...{tail}")
        self._used, self._latest = self._used + self._latest, 0.0
        self._start()
        self.restarts += 1

    def _peak_now(self) -> float:
        try:
            return self.process.peak()
        except (FileNotFoundError, ProcessLookupError, RuntimeError):
            return 0.0  # it ends just now

    def _cpu_now(self) -> float:
        try:
            return self.process.cpu()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0

    def _ask(self, path: str) -> None:
        asked, began = self.asked[path], time.time()
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"http://127.0.0.1:{self._port}{path}", timeout=TIMEOUT) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            with error:
                asked.said = error.read().decode()[:300]
            asked.bad += 1
        except OSError as error:
            asked.bad += 1
            asked.said = str(error)
        else:
            asked.good += 1
            if path == "/healthz":
                self._last_good = time.monotonic()
                asked.green.append((began, time.time()))
        asked.longest = max(asked.longest, time.time() - began)

    def _read_the_log(self) -> None:
        """Holds of the loop, and what no controller should ever say."""
        assert self._now is not None
        with self._reading, self._now.log.open("rb") as log:
            log.seek(self._read)
            told = log.read()
            self._read += len(told)
        for line in told.decode(errors="replace").splitlines():
            if found := HELD.search(line):
                ended = datetime.fromisoformat(json.loads(line)["time"]).timestamp()
                self.holds.append((ended - float(found[1]), ended))
            self._faults += [f"the log says: {line[:600]}" for word in NEVER if word in line][:1]
