"""What befalls requests between the controllers and the API server, by chance."""

import random
from collections import Counter

from tests.cluster.proxy import Fault, status

_FAULTS = {
    "cut before the server got it": (8, Fault("", answer=b"")),
    "cut once the server had done it": (10, Fault("", swallow=True)),
    "answer broken off": (6, Fault("", cut_after=40, reset=True)),
    "reaches the server late": (4, Fault("", hold_for=4.5)),
    "answer late": (5, Fault("", delay=0.5)),
    "429": (4, Fault("", answer=status(429, "TooManyRequests", "Retry-After: 1\r\n"))),
    "500": (3, Fault("", answer=status(500, "InternalError"))),
    "503": (3, Fault("", answer=status(503, "ServiceUnavailable"))),
    "409": (1, Fault("", answer=status(409, "Conflict"))),
}
"""In a thousand requests each."""
_WATCH_FAULTS = {
    "watch broken off in its list": (100, Fault("", cut_after=20_000)),
    "watch broken off later": (300, Fault("", cut_after=2_000_000)),
    "watch reset": (150, Fault("", cut_after=4_000_000, reset=True)),
    "watch gone": (50, Fault("", answer=status(410, "Expired"))),
}


class Weather:
    """Chooses the fault of each request, and counts them by name."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.happened: Counter[str] = Counter()

    def __call__(self, line: str) -> Fault | None:
        """The fault of the request with that first line."""
        faults = _WATCH_FAULTS if "watch=1" in line else _FAULTS
        left = self._chance.randrange(1000)
        for name, (share, fault) in faults.items():
            left -= share
            if left < 0:
                self.happened[name] += 1
                return fault
        return None
