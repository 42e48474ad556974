"""Controllers that are killed and started again, as a Deployment of two would have it."""

import signal
import time
from collections.abc import Mapping
from typing import Any

import attrs
from tests.k8s.controller_process import ControllerProcess, Controllers

COUNT = 2
LOST = 1
"""How a controller ends that lost its lease."""
NEVER = ("Traceback", "fault of the engine")
"""What no controller should ever say."""


@attrs.define
class Herd:
    """`kills` were ours, `lost` are those that lost their lease and ended by themselves; `paused`
    are asleep, and `resumed` has when those were woken that had been. `options` are those of
    `Controllers.start`."""

    controllers: Controllers
    options: Mapping[str, Any]
    alive: list[ControllerProcess] = attrs.field(factory=list)
    paused: list[ControllerProcess] = attrs.field(factory=list)
    resumed: dict[int, float] = attrs.field(factory=dict)
    kills: int = 0
    lost: int = 0

    def tend(self) -> None:
        """Start others for those that ended by themselves; a lost lease is the only reason to."""
        for each in list(self.alive):
            code = each.process.poll()
            if code is None:
                continue
            self.alive.remove(each)
            said = each.log.read_text()
            lost = code == LOST and "the lease was lost" in said
            assert lost, f"a controller ended with {code}:\n{said}"
            self.lost += 1
        while len(self.alive) - len(self.resumed.keys() & self._pids()) < COUNT:
            self.alive.append(self.controllers.start(**self.options))

    def leader(self) -> ControllerProcess | None:
        """The one that leads, if one does."""
        leading = [
            each
            for each in self.alive
            if each.process.pid not in self.resumed and "leading as" in each.log.read_text()
        ]
        return leading[-1] if leading else None

    def _pids(self) -> set[int]:
        return {each.process.pid for each in self.alive}

    def pause(self, victim: ControllerProcess) -> None:
        """SIGSTOP: it leads on, as far as it knows."""
        victim.send(signal.SIGSTOP)
        self.alive.remove(victim)
        self.paused.append(victim)

    def resume(self) -> None:
        """SIGCONT for all that are paused."""
        for each in self.paused:
            self.resumed[each.process.pid] = time.monotonic()
            each.send(signal.SIGCONT)
            self.alive.append(each)
        self.paused.clear()

    def kill(self, victim: ControllerProcess) -> None:
        """SIGKILL."""
        victim.end(signal.SIGKILL)
        self.alive.remove(victim)
        self.kills += 1

    def faults(self) -> list[str]:
        """What was said that should not be."""
        return [
            f"{each.log.name}: {line}"
            for each in self.controllers.started
            for line in each.log.read_text().splitlines()
            if any(word in line for word in NEVER)
        ]
