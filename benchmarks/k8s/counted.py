"""How many requests a workflow costs, counted in the API server's audit log (kubernetes.md 11)."""

import time
from collections import Counter
from pathlib import Path

import attrs
from tests.cluster import audit
from tests.cluster.audit import Asked

from benchmarks.figures import Figure
from benchmarks.k8s.stage import opened
from benchmarks.k8s.subjects import chain
from wf_k8s.client.session import AGENT

LENGTH, WORKFLOWS = 10, 8
"""No more at once than calls of hooks are allowed: no limit is to bind."""
QUIET = 3.0
"""Seconds after the last end in which whatever still follows is asked: the lease is renewed every
second, so that some of what is counted comes later than all else."""


MORE_WATCHES = (("watch", "cronworkflows"), ("watch", "tasks"))


@attrs.frozen
class Way:
    """A way to come by the finalizer: how many writes the floor has beyond the steps'."""

    name: str
    more: int
    guarded: bool = False
    deletion_policy: str | None = None


WAYS = (
    Way("", 3),
    Way(", finalizer set at creation", 2, guarded=True),
    Way(", deletionPolicy Orphan", 1, deletion_policy="Orphan"),
)


def measure(folder: Path) -> list[Figure]:
    """Writes of a workflow in each way, and everything else that was asked meanwhile."""
    with opened(folder, audited=True) as stage:
        namespace = stage.namespace()
        with stage.controller(namespace):
            for n, way in enumerate(WAYS):
                policy = {"deletionPolicy": way.deletion_policy} if way.deletion_policy else {}
                for i in range(WORKFLOWS):
                    document = chain(f"way{n}-{i}", LENGTH, guarded=way.guarded, **policy)
                    stage.api.create(namespace, document)
            stage.await_all(namespace, "Success", every=0.5, patience=60)
            time.sleep(QUIET)
            asked = audit.read(audit.log(stage.folder / "plane"), AGENT)
    return [*(_writes(n, way, asked) for n, way in enumerate(WAYS)), *_others(asked)]


def _writes(n: int, way: Way, asked: list[Asked]) -> Figure:
    """The most that any workflow cost."""
    verbs: dict[str, Counter[str]] = {f"way{n}-{i}": Counter() for i in range(WORKFLOWS)}
    for each in asked:
        if each.resource == "workflows" and each.name in verbs:
            verbs[each.name][f"{each.verb} {each.subresource}".strip()] += 1
    most = max(verbs.values(), key=Counter.total)
    return Figure(
        f"requests a workflow, chain of {LENGTH}{way.name}",
        most.total(),
        "requests",
        LENGTH + way.more,
        exact=True,
        note=f"{', '.join(f'{count} {verb}' for verb, count in most.items())}; "
        f"the most of {WORKFLOWS}; the floor is N + {way.more}",
    )


def _others(asked: list[Asked]) -> list[Figure]:
    asked = [each for each in asked if each.code != 429]
    workflows = [each for each in asked if each.resource == "workflows"]
    reads = [each for each in workflows if each.verb in ("get", "list")]
    watches = [each for each in workflows if each.verb == "watch"]
    rest = [each for each in asked if each.resource not in ("workflows", "leases")]
    more = [each for each in rest if (each.verb, each.resource) in MORE_WATCHES]
    return [
        Figure("GETs of workflows", len(reads), "requests", 0, exact=True),
        Figure("watches of workflows", len(watches), "requests", 1, exact=True),
        Figure(
            "watches of schedules and of tasks",
            len(more),
            "requests",
            len(MORE_WATCHES),
            exact=True,
            note="one of each for a controller's life",
        ),
        Figure(
            "requests beside those and the lease",
            len(rest) - len(more),
            "requests",
            0,
            exact=True,
        ),
    ]
