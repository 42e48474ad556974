"""A controller has so much memory for what it drives, and no namespace takes that of the others
(semantics E10)."""

import json

from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import LARGE, Json, Sagas, step, workflow

COUNT = 8


def large(name: str) -> Json:
    """As large as a cluster takes it; it waits for a person, and so holds no slot."""
    filled = {"type": "random", "parameters": {"sleepSeconds": 0, "attributes": LARGE}}
    asks = {"type": "approval", "parameters": {"message": "go on?"}}
    later = [step(f"s{n}", "ask", stepTemplate=filled) for n in range(5)]
    return workflow(step("ask", stepTemplate=asks), *later, name=name, deletionPolicy="Orphan")


def running(sagas: Sagas) -> list[str]:
    shown = "jsonpath={range .items[?(@.status.phase=='Running')]}{.metadata.name} {end}"
    return sagas.kubectl("get", "-n", sagas.namespace, "saga", "-o", shown).split()


def test_e10_large_workflows_of_one_namespace_leave_memory_to_the_others(
    sagas: Sagas, elsewhere: Sagas, controllers: Controllers, notes: Notes
) -> None:
    leader = controllers.leader(
        also=(elsewhere.namespace,), controllerConfig={"workflowMemory": 128}
    )
    names = [f"large-{n}" for n in range(COUNT)]
    listed = {"apiVersion": "v1", "kind": "List", "items": [large(name) for name in names]}
    sagas.kubectl("create", "-n", sagas.namespace, "-f", "-", stdin=json.dumps(listed))
    leader.await_said("too little of the 128 MiB")
    elsewhere.create(workflow(notes.step("a")))
    await_phase(elsewhere, "Success")
    waiting = float(leader.page("/metrics").partition("\nwf_memory_waiters ")[2].split()[0])
    assert 0 < waiting < COUNT
    driven = running(sagas)
    assert 0 < len(driven) < COUNT
    sagas.kubectl("delete", "-n", sagas.namespace, "saga", *driven)
    until(lambda: set(running(sagas)) - set(driven) or None, "another one is driven")
