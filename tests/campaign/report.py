"""What a campaign came to."""

from collections import Counter
from collections.abc import Mapping

import attrs


@attrs.frozen
class Report:
    """`faults` is empty where everything held; the rest are counts, and `seconds`."""

    faults: list[str]
    seconds: float
    workflows: int
    endings: Mapping[str, int]
    kills: int
    pauses: int
    lost_leases: int
    restarts: int
    cuts: int
    requests: int
    befell: Mapping[str, int]
    refused_writes: int
    writes: int
    calls: int
    repeated_calls: int
    late_calls: int
    callbacks: int
    repeated_callbacks: int
    refused_callbacks: int

    def __str__(self) -> str:
        lines = [
            f"{self.workflows} workflows in {self.seconds:.0f} s",
            f"  controllers killed {self.kills}, stopped and replaced {self.pauses}, leases lost "
            f"in all {self.lost_leases}; API server restarts {self.restarts}",
            f"  requests {self.requests}, all connections cut {self.cuts} times; "
            f"single requests disturbed {sum(self.befell.values())}:",
            *_counts(self.befell),
            f"  writes that the API server refused as stale {self.refused_writes}",
            f"  objects written {self.writes}",
            f"  hooks called {self.calls}, of these again after a crash {self.repeated_calls}, and "
            f"by a controller that had been replaced {self.late_calls}",
            f"  callbacks delivered {self.callbacks}, of these again {self.repeated_callbacks}; "
            f"refused {self.refused_callbacks}",
            "  workflows by fate and ending:",
            *_counts(self.endings),
            f"  rules broken: {len(self.faults)}",
            *(f"    {fault}" for fault in self.faults[:50]),
        ]
        return "\n".join(lines)


def _counts(counted: Mapping[str, int]) -> list[str]:
    return [f"    {n:6} {name}" for name, n in Counter(counted).most_common()]
