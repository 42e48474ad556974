"""`make flood`: what a namespace's workflows take alone, and while others attack the controller.

A real API server with the chart on it, and the chart's controller as a process under the chart's
limit of memory. In each run the victims' workflows are timed twice: alone, then while hostile
authors attack, with the chart's edit rights on workflows and no more. Exit code 1 where a bound is
broken.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs
from tests.campaign.confined import Confinement, confined
from tests.campaign.flood_attacks import (
    ATTACKS,
    BY_MASS,
    HUGE_STEPS,
    SERVED,
    VARIED,
    Json,
    variations,
)
from tests.campaign.flood_clearing import clear
from tests.campaign.flood_kubelet import Kubelet
from tests.campaign.flood_processes import Authors, Usage
from tests.campaign.flood_report import Bounds, Report, Turn
from tests.campaign.flood_site import FUZZING, VICTIM, Site, installed_chart
from tests.campaign.flood_victims import Victims, errands, percentile
from tests.campaign.orders import Order
from tests.campaign.records import PREFIX, Stored, lines
from tests.cluster.accepted import accepted
from tests.cluster.aside import Aside, aside
from tests.cluster.binaries import CONTROL_PLANE, HELM, AssetMissingError, UnavailableError, find
from tests.cluster.control_plane import running

T = TypeVar("T")


@attrs.frozen
class Plan:
    """`runs` times alone and flooded: `workflows` of the victims, `rate` a second; `namespaces`
    with hostile authors, each at most `pace` requests a second; `variations` beside the `attacks`;
    `objects` of any shape in all runs together, by one more author, `fuzzing` requests a second.
    The flood begins `lead` seconds before the victims.
    The victims ask for less than their share of requests and calls: whoever asks for more waits for
    what is beyond it, and with more hostile namespaces everybody's share is smaller.
    A turn whose workflows are not over after `patience` seconds is a fault."""

    runs: int = 5
    workflows: int = 200
    rate: float = 1.0
    namespaces: int = 2
    pace: float = 5.0
    fuzzing: float = 10.0
    variations: int = 100
    attacks: tuple[str, ...] = tuple(ATTACKS)
    without: frozenset[str] = frozenset()
    objects: int = 10_000
    seed: int = 12
    lead: float = 15.0
    patience: float = 600.0
    ratio: float = 2.0


@attrs.define
class Flood:
    """One flood under way."""

    plan: Plan
    site: Site
    world: Aside
    kubelet: Kubelet
    confinement: Confinement
    victims: Victims
    hostile: dict[str, str]
    say: Callable[[str], None]
    turns: list[Turn] = attrs.field(factory=list)
    _number: int = 0

    def play(self) -> None:
        """All runs."""
        for run in range(1, self.plan.runs + 1):
            for flooded in (False, True):
                self.turns.append(self._turn(run, flooded))
                self.say(str(self.turns[-1]))

    def _turn(self, run: int, flooded: bool) -> Turn:
        plan, self._number = self.plan, self._number + 1
        orders = errands(self._number, plan.workflows, plan.seed)
        self.kubelet.reset()
        restarts, killed = self.kubelet.restarts, self.confinement.killed()
        logged, began = self.kubelet.log_size(), time.monotonic()
        authors = self._authors(run) if flooded else None
        pids = {"API server": self.site.plane.api_server.pid, "etcd": self.site.plane.etcd.pid}
        pids["this process"] = os.getpid()
        if authors is not None:
            pids["hostile authors"] = authors.pid
            time.sleep(plan.lead)
        usage = Usage(pids, self.kubelet)
        self._aside(self.victims.order(orders, plan.rate))
        found = self._await_the_victims(orders)
        shares, machine = usage.shares()
        done = self._end(authors, found) if authors is not None else None
        seconds = time.monotonic() - began
        found += self.victims.faults(orders, lines(self.site.calls))
        cleaning = time.monotonic()
        if left := self._aside(clear(self.site.cluster, (*self.hostile, VICTIM), plan.patience)):
            found.append(f"{len(left)} objects are in the way after the flood: {left[:3]}")
        found += self.kubelet.take_faults()
        killed = self.confinement.killed() - killed
        if killed:
            found.append(f"the kernel killed {killed} times for want of memory")
        took = self.victims.seconds(orders)
        return Turn(
            run=run,
            flooded=flooded,
            seconds=seconds,
            ordered=len(orders),
            took=tuple(round(each, 3) for each in took),
            p50=percentile(took, 0.5),
            p99=percentile(took, 0.99),
            cpu=shares,
            machine=machine,
            peak=self.kubelet.peak,
            resident=self.kubelet.process.resident(),
            restarts=self.kubelet.restarts - restarts,
            killed=killed,
            pages={
                path: {"good": a.good, "bad": a.bad, "longest": a.longest, "said": a.said}
                for path, a in self.kubelet.asked.items()
            },
            holds=tuple(round(ended - began, 2) for began, ended in self.kubelet.holds),
            logged=self.kubelet.log_size() - logged,
            stored=sum(each.stat().st_size for each in self.site.plane.folder.rglob("db")) / 1e6,
            hostile=done,
            cleaned_up_in=time.monotonic() - cleaning,
            faults=tuple(found),
        )

    def _authors(self, run: int) -> Authors:
        plan = self.plan
        orders = {
            "turn": self._number,
            "authors": self.hostile,
            "variations": variations(plan.seed, plan.variations, plan.without),
            "attacks": list(plan.attacks),
            "seed": plan.seed + 1_000_003 * run,
            "objects": -(-plan.objects // plan.runs),
            "fuzzing": FUZZING,
            "paces": {**dict.fromkeys(self.hostile, plan.pace), FUZZING: plan.fuzzing},
        }
        return Authors(orders, self.site.folder / "authors.log")

    def _await_the_victims(self, orders: list[Order]) -> list[str]:
        """What is wrong once all are over, or can't be waited for any more."""
        end, told = time.monotonic() + self.plan.patience, time.monotonic()
        while left := self.victims.left(orders):
            now = time.monotonic()
            if now > end:
                green = self.kubelet.asked["/healthz"].bad == 0
                health = "green health on a broken loop" if green else "not over"
                return [f"{health}: {len(left)} workflows, such as {left[0]}"]
            if now - told > 30:
                told = now
                self.say(f"  ... {len(orders) - len(left)} of {len(orders)} are over")
            time.sleep(0.2)
        return []

    def _end(self, authors: Authors, found: list[str]) -> Json:
        """Let them do all that they are to do, and end them."""
        plan = self.plan
        wanted = {"fuzzed": -(-plan.objects // plan.runs), "varied": plan.variations}
        end = time.monotonic() + plan.patience
        while authors.flooding and _left(authors.done, wanted) and time.monotonic() < end:
            time.sleep(0.5)
        done = authors.end()
        found += done.get("broken", ())
        if SERVED & set(plan.attacks) and not done.get("asked_of_servers"):
            found.append("no step asked the authors' servers: their attacks were none")
        left = _left(done, wanted)
        found += (f"{what}: {done.get(what, 0)} of {wanted[what]}" for what in left)
        return done

    def _aside(self, work: Coroutine[Any, Any, T]) -> T:
        """Work on the other loop, however long it takes: each piece of it has its own limit."""
        return asyncio.run_coroutine_threadsafe(work, self.world.loop).result()


def _left(done: Json, wanted: Mapping[str, int]) -> list[str]:
    return [what for what, number in wanted.items() if done.get(what, 0) < number]


@contextmanager
def flooding(
    plan: Plan, programs: Mapping[str, Path], folder: Path, say: Callable[[str], None]
) -> Iterator[Flood]:
    """Everything that a flood needs, gone afterwards."""
    with running(programs, folder / "plane", durable=True) as plane, aside() as world:
        site = installed_chart(plane, programs, folder)
        kubeconfig = site.author(VICTIM)
        names = [f"hostile-{n}" for n in range(plan.namespaces)]
        hostile = {name: str(site.author(name)) for name in (*names, FUZZING)}
        stored = Stored()
        world.enter(accepted(plane.etcd_url, f"{PREFIX}{VICTIM}/", stored.tell))
        victims = Victims(VICTIM, kubeconfig, stored)
        limit = site.charted.memory
        with confined(limit, f"wf-flood-{os.getpid()}") as confinement:
            controllers = site.controllers(confinement.before)
            options = site.charted.options
            kubelet = Kubelet(controllers, options, site.options())
            try:
                kubelet.start()
                yield Flood(plan, site, world, kubelet, confinement, victims, hostile, say)
            finally:
                kubelet.close()


def run(
    plan: Plan, programs: Mapping[str, Path], folder: Path, say: Callable[[str], None]
) -> Report:
    """One flood, with the `programs` of a control plane and helm."""
    with flooding(plan, programs, folder, say) as flood:
        flood.play()
        limit = flood.site.charted.memory
        queue = flood.site.charted.config["controllerConfig"]["queue"]
        setting = {
            "victims": f"{plan.workflows} workflows of five steps a turn, {plan.rate:g} a second",
            "hostile": f"{plan.namespaces} namespaces, at most {plan.pace:g} requests a second "
            f"each, and one of objects of any shape, at most {plan.fuzzing:g}; their service "
            "accounts may edit workflows and nothing else",
            "attempts": f"{len(plan.attacks)} attacks, {plan.variations} variations (seed "
            f"{plan.seed}), {plan.objects} objects; left out: "
            f"{', '.join(sorted(plan.without)) or 'nothing'}",
            "controller": f"the chart's configuration ({queue['strategy']}, at most "
            f"{queue['maxRunningCount']} running, {queue['maxRunningCountPerNamespace']} of a "
            "namespace), account, policies and flow schemas; beyond it callbacks and http may "
            "reach 127.0.0.1",
            "memory": f"{limit / 2**20:.0f} MiB, {flood.confinement.how}",
            "machine": f"{os.cpu_count()} cores; the authors, their servers, etcd and the API "
            "server share them with the controller",
        }
        return Report(setting, Bounds(plan.ratio, limit), flood.turns)


def main() -> int:
    """One flood on a control plane of its own."""
    known = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.flood", description=__doc__)
    parser.add_argument("--runs", type=int, default=known.runs)
    parser.add_argument("--workflows", type=int, default=known.workflows)
    parser.add_argument("--rate", type=float, default=known.rate, help="of them, a second")
    parser.add_argument("--namespaces", type=int, default=known.namespaces, help="hostile ones")
    parser.add_argument("--pace", type=float, default=known.pace, help="requests a second of each")
    parser.add_argument(
        "--fuzzing", type=float, default=known.fuzzing, help="the same of any shape"
    )
    parser.add_argument("--variations", type=int, default=known.variations)
    parser.add_argument("--attacks", nargs="*", choices=[*ATTACKS, *BY_MASS], default=list(ATTACKS))
    parser.add_argument(
        "--without",
        nargs="*",
        choices=list(VARIED),
        default=[],
        metavar="KIND",
        help=f"kinds of variations to leave out, such as {HUGE_STEPS}",
    )
    parser.add_argument("--objects", type=int, default=known.objects, help="of any shape, in all")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--lead", type=float, default=known.lead)
    parser.add_argument("--patience", type=float, default=known.patience)
    parser.add_argument("-o", "--output", type=Path, help="where the report goes as JSON")
    options = vars(parser.parse_args())
    output = options.pop("output")
    options["attacks"], options["without"] = (
        tuple(options["attacks"]),
        frozenset(options["without"]),
    )
    plan = Plan(**options)
    try:
        programs = find((*CONTROL_PLANE, *HELM), lambda text: print(text, file=sys.stderr))
    except (UnavailableError, AssetMissingError) as error:
        print(error, file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="wf-flood-"))
    print(f"its logs: {folder}; seed {plan.seed}", flush=True)
    report = run(plan, programs, folder, lambda text: print(text, flush=True))
    print(report)
    if output is not None:
        output.write_text(json.dumps(report.document(), indent=1) + "\n")
    return 1 if report.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
