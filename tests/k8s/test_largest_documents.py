"""A turn that takes a workflow up costs what its document has, up to the largest that a cluster
takes: twice of anything is twice the time."""

import gc
from collections.abc import Callable
from time import process_time
from typing import Any

import msgspec
import pytest
from tests.k8s.crd_objects import Json, step, workflow

from wf_core.codec import faults
from wf_core.codec.cluster_bounds import CLUSTER_CONDITIONS, CLUSTER_VALUES
from wf_core.model.spec import Workflow
from wf_core.saga.events import Admitted
from wf_core.saga.machine import Saga
from wf_core.testing.saga_driver import KINDS, Gate
from wf_k8s.store.known import read_known
from wf_k8s.store.numbers import Numbers
from wf_k8s.store.rows import read_place
from wf_k8s.store.sizes import misfit


def raw(document: Json) -> bytes:
    """As the API server gives it back."""
    document["metadata"] |= {
        "namespace": "ns",
        "uid": "u",
        "resourceVersion": "5",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    for each in document["spec"]["steps"]:
        each["stepTemplate"]["type"] = "plain"
    return msgspec.json.encode({**document, "status": {}})


def conditions(part: int) -> Json:
    """500 steps, of which each waits for as many as all may together."""
    names = [f"s{n:03}" for n in range(500)]
    each = CLUSTER_CONDITIONS // part // 500
    return workflow(*(step(name, *names[max(0, n - each) : n]) for n, name in enumerate(names)))


def parameters(made: Any) -> Json:
    """500 steps, and these parameters of the workflow."""
    document = workflow(*(step(f"s{n:03}") for n in range(500)))
    document["spec"]["parameters"] = {"x": made}
    return document


def lists(part: int) -> Json:
    return parameters([[]] * (CLUSTER_VALUES // part - 2))


def references(part: int) -> Json:
    """In the parameters of one step, to a parameter of the workflow."""
    document = parameters("")
    text = "${parameters.x}" * (min(17_000, CLUSTER_VALUES) // part)
    document["spec"]["steps"][0]["stepTemplate"]["parameters"] = {"text": text}
    return document


def taken_up(body: bytes) -> Workflow:
    """All that is done on the loop with what nobody has seen yet, until it is decided what runs."""
    read_place(body)
    known = read_known(body)
    assert misfit(known.workflow) is None
    faults(known.workflow, None)
    saga = Saga(known.stored(Numbers()), KINDS, Gate())
    assert saga.advance([Admitted()], 0.0)
    return known.workflow


def seconds(body: bytes) -> float:
    gc.collect()
    start = process_time()
    taken_up(body)
    return process_time() - start


@pytest.mark.slow
@pytest.mark.parametrize("make", [conditions, lists, references])
def test_a2_twice_the_document_is_no_more_than_twice_the_turn(make: Callable[[int], Json]) -> None:
    half, whole = raw(make(2)), raw(make(1))
    ratio = min(
        min(seconds(whole) for _ in range(3)) / max(seconds(half) for _ in range(3))
        for _ in range(3)
    )
    assert ratio <= 2.4
