"""What a workflow costs the API server, by its own account (kubernetes.md 11)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.cluster import audit
from tests.cluster.audit import Asked
from tests.cluster.connection import own
from tests.cluster.control_plane import running
from tests.cluster.kubectl import Kubectl
from tests.k8s.controller_process import Controllers, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, define, step, workflow

from wf_k8s.client.session import AGENT
from wf_k8s.store.guard import FINALIZER

LENGTH = 4
NAMESPACE = "default"


@attrs.frozen
class Audited:
    """A controller at work on an API server that keeps account."""

    sagas: Sagas
    log: Path

    def asked(self) -> list[Asked]:
        """What the controller asked so far."""
        return audit.read(self.log, AGENT)

    def of(self, name: str) -> Counter[str]:
        """What it asked of one workflow, by verb and subresource."""
        return Counter(
            f"{each.verb} {each.subresource}".strip()
            for each in self.asked()
            if (each.resource, each.name) == ("workflows", name)
        )

    def until_quiet(self) -> None:
        """Return once the lease was renewed after everything else: nothing is on its way."""
        seen = len(self.asked())
        until(
            lambda: [each.resource for each in self.asked()[seen:]].count("leases") >= 2 or None,
            "the lease is renewed",
        )


@pytest.fixture(scope="module")
def audited(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Audited]:
    """One for all tests here, on a control plane of its own."""
    folder = tmp_path_factory.mktemp("audited")
    with running(control_plane_programs, folder / "plane", audited=True) as plane:
        kubectl = Kubectl(control_plane_programs["kubectl"], plane.kubeconfig(), folder)
        define(kubectl)
        controllers = Controllers(own(plane), NAMESPACE, folder)
        try:
            controllers.leader()
            yield Audited(Sagas(kubectl, NAMESPACE), audit.log(plane.folder))
        finally:
            controllers.close()


def chain(name: str, fails: int | None = None, **spec: Any) -> Json:
    """Steps that each wait for the one before; `fails` is the number of one that fails for good."""
    steps = []
    for n in range(1, LENGTH + 1):
        made = step(f"s{n}", *([f"s{n - 1}"] if n > 1 else []))
        parameters: Json = {"sleepSeconds": 0}
        if n == fails:
            made["stepTemplate"]["retryPolicy"] = {"runRetryLimit": 0}
            parameters["failureRate"] = 1
        made["stepTemplate"]["parameters"] = parameters
        steps.append(made)
    return workflow(*steps, name=name, **spec)


def guarded(document: Json) -> Json:
    """With the finalizer from the start, as `wf` and the chart's admission policy set it."""
    document["metadata"]["finalizers"] = [FINALIZER]
    return document


def run(audited: Audited, document: Json, phase: str = "Success") -> Counter[str]:
    """Run it to its end, and what it cost."""
    name = document["metadata"]["name"]
    audited.sagas.create(document)
    await_phase(audited.sagas, phase, name)
    audited.until_quiet()
    assert "finalizers" not in audited.sagas.get(name)["metadata"]
    return audited.of(name)


def test_k11_a_chain_costs_a_write_a_step_one_more_and_the_finalizers_two(
    audited: Audited,
) -> None:
    assert run(audited, chain("plain")) == {"patch status": LENGTH + 1, "patch": 2}


def test_k11_a_finalizer_that_is_there_at_creation_spares_a_write(audited: Audited) -> None:
    cost = run(audited, guarded(chain("guarded")))
    assert cost == {"patch status": LENGTH + 1, "patch": 1}


def test_k11_a_workflow_without_a_finalizer_costs_its_saves_alone(audited: Audited) -> None:
    cost = run(audited, chain("orphan", deletionPolicy="Orphan"))
    assert cost == {"patch status": LENGTH + 1}


def test_c3_a_failure_costs_a_save_for_each_run_and_undo_and_one_more(audited: Audited) -> None:
    cost = run(audited, guarded(chain("fails", fails=3)), "RollBacked")
    assert cost == {"patch status": 2 * 3 + 1, "patch": 1}


def test_k11_workflows_side_by_side_cost_what_they_cost_alone(audited: Audited) -> None:
    names = [f"many-{n}" for n in range(8)]
    audited.sagas.kubectl.apply(*[guarded(chain(name)) for name in names])
    for name in names:
        await_phase(audited.sagas, "Success", name)
    audited.until_quiet()
    for name in names:
        assert audited.of(name) == {"patch status": LENGTH + 1, "patch": 1}


def test_k11_nothing_is_asked_but_one_watch_the_lease_and_writes(audited: Audited) -> None:
    # What happened to workflows of other tests was told in events.
    events = [each for each in audited.asked() if each.resource == "events"]
    run(audited, chain("alone"))
    # The API server refuses a watch at first, of a resource that it has only just come to know.
    asked = [each for each in audited.asked() if each.code != 429]
    verbs = Counter(each.verb for each in asked if each.resource == "workflows")
    assert verbs.keys() == {"watch", "patch"}
    assert verbs["watch"] == 1
    others = Counter(
        (each.verb, each.resource) for each in asked if each.resource not in ("workflows", "leases")
    )
    expected = {("watch", "cronworkflows"): 1, ("watch", "tasks"): 1}
    assert others == Counter(expected) + Counter((each.verb, each.resource) for each in events)
