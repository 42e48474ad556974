"""What a flood came to: a table for each turn, one for all of them, and JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

Json = dict[str, Any]


@attrs.frozen
class Turn:
    """One turn. `took` are the seconds of each of the victims' workflows; `cpu` is the per cent of
    the machine that each process used while they ran, `machine` what was used in all."""

    run: int
    flooded: bool
    seconds: float
    ordered: int
    took: tuple[float, ...]
    p50: float
    p99: float
    cpu: Mapping[str, float]
    machine: float
    peak: float
    resident: float
    restarts: int
    killed: int
    pages: Mapping[str, Json]
    holds: tuple[float, ...]
    logged: int
    stored: float
    hostile: Json | None
    cleaned_up_in: float
    faults: tuple[str, ...]

    def __str__(self) -> str:
        name = "flooded" if self.flooded else "alone"
        shares = ", ".join(f"{who} {share:.0f} %" for who, share in self.cpu.items())
        lines = [
            f"run {self.run}, {name}: {len(self.took)} of {self.ordered} workflows ended",
            f"  submission to end    p50 {self.p50:6.2f} s   p99 {self.p99:6.2f} s   "
            f"most {max(self.took, default=math.inf):6.2f} s",
            f"  machine              {self.machine:.0f} % in use: {shares}",
            f"  controller           VmHWM {self.peak:.0f} MB, {self.resident:.0f} MB now; "
            f"{self.restarts} restarts, {self.killed} kills for memory; {self.logged / 1e3:.0f} KB "
            f"logged; etcd has {self.stored:.0f} MB",
            *(
                f"  {path:<20} {page['good']} good answers, {page['bad']} others, "
                f"the slowest in {page['longest']:.2f} s{_said(page)}"
                for path, page in self.pages.items()
            ),
            f"  loop held            {len(self.holds)} times, at most "
            f"{max(self.holds, default=0.0):.1f} s",
        ]
        if self.hostile is not None:
            lines += _hostile(self.hostile, self.seconds)
            lines.append(f"  cleaned up           in {self.cleaned_up_in:.0f} s")
        lines += [f"  FAULT                {each}" for each in self.faults[:20]]
        if len(self.faults) > 20:
            lines.append(f"  FAULT                and {len(self.faults) - 20} more")
        return "\n".join(lines)


def _said(page: Json) -> str:
    return f"; it said: {page['said']}" if page["said"] else ""


def _hostile(done: Json, seconds: float) -> list[str]:
    codes = ", ".join(f"{n} x {code}" for code, n in sorted(done["codes"].items())) or "none"
    began = sum(done["began"].values())
    return [
        f"  hostile authors      {done['requests']} requests ({done['requests'] / seconds:.0f} a "
        f"second), {done['accepted']} accepted, refused: {codes}, unanswered: "
        f"{done['unanswered']}",
        f"                       {began} attacks and variations begun, of {len(done['began'])} "
        f"kinds ({done['varied']} variations), "
        f"{done['fuzzed']} objects of any shape",
        f"                       their servers were asked {done['asked_of_servers']} times",
    ]


@attrs.frozen
class Bounds:
    """What must hold."""

    ratio: float
    memory: int


@attrs.frozen
class Report:
    """All turns. `setting` says how it was played."""

    setting: Mapping[str, str]
    bounds: Bounds
    turns: Sequence[Turn]

    def ratios(self) -> list[tuple[int, float, float, float]]:
        """Of each run: its number, the 99th percentile alone and flooded, and the ratio."""
        found = []
        for alone, flooded in zip(self.turns[::2], self.turns[1::2], strict=False):
            ratio = flooded.p99 / alone.p99 if alone.p99 else math.inf
            found.append((alone.run, alone.p99, flooded.p99, ratio))
        return found

    def faults(self) -> list[str]:
        """Everything that is wrong."""
        found = [f"run {turn.run}: {each}" for turn in self.turns for each in turn.faults]
        for run, alone, flooded, ratio in self.ratios():
            if not ratio <= self.bounds.ratio:
                found.append(
                    f"run {run}: the 99th percentile is {flooded:.2f} s, {ratio:.2f} times the "
                    f"{alone:.2f} s alone, more than {self.bounds.ratio:g} times"
                )
        peak = max((turn.peak for turn in self.turns), default=0.0)
        if peak * 1e6 >= self.bounds.memory:
            found.append(f"VmHWM was {peak:.0f} MB, not under {self.bounds.memory / 1e6:.0f} MB")
        return found

    def document(self) -> Json:
        """As JSON."""
        return {
            "setting": dict(self.setting),
            "turns": [attrs.asdict(turn) for turn in self.turns],
            "ratios": [
                {"run": run, "alone": alone, "flooded": flooded, "ratio": ratio}
                for run, alone, flooded, ratio in self.ratios()
            ],
            "faults": self.faults(),
        }

    def __str__(self) -> str:
        found = self.faults()
        rows = [
            f"{run:>5} {alone:>12.2f} {flooded:>14.2f} {ratio:>8.2f}"
            for run, alone, flooded, ratio in self.ratios()
        ]
        return "\n".join(
            [
                "",
                *(f"{name:<18} {text}" for name, text in self.setting.items()),
                "",
                "  run  p99 alone/s  p99 flooded/s    ratio",
                *rows,
                f"VmHWM at most {max((t.peak for t in self.turns), default=0):.0f} MB of "
                f"{self.bounds.memory / 1e6:.0f} MB",
                f"restarts {sum(t.restarts for t in self.turns)}",
                f"bounds broken: {len(found)}",
                *(f"  {each}" for each in found[:40]),
            ]
        )
