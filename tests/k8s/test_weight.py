"""What a workflow is reckoned to take in memory while it is driven (semantics E10)."""

import json
import tracemalloc
from typing import Any

import pytest
from tests.k8s.crd_objects import LARGE

from wf_core.model.spec import Key
from wf_k8s.store.known import read_known
from wf_k8s.store.mirror import Mirror
from wf_k8s.store.weight import weight

META = {
    "name": "order",
    "namespace": "a",
    "uid": "u",
    "resourceVersion": "5",
    "generation": 1,
    "creationTimestamp": "2026-01-01T00:00:00Z",
}


def raw(steps: int, attributes: Any, status: Any = None) -> bytes:
    template = {"type": "random", "parameters": {"attributes": attributes}}
    made = [{"name": f"s{n}", "stepTemplate": template} for n in range(steps)]
    document = {"metadata": META, "spec": {"steps": made}, "status": status or {}}
    return json.dumps(document, separators=(",", ":")).encode()


def told(made: bytes) -> int:
    """What the object weighs once it was told."""
    mirror = Mirror({}, {}, lambda _: None, lambda *_: None, lambda _: None)
    mirror.accepted(made)
    return mirror.weight(Key("a", "order"))


SHAPES = {
    "small": raw(3, {}),
    "texts": raw(5, LARGE),
    "objects": raw(5, {f"k{n}": {"a": {"b": {}}} for n in range(1_300)}),
    "lists": raw(5, {"k": [[] for _ in range(3_900)]}),
    "numbers": raw(5, {"k": [n / 7 for n in range(3_900)]}),
    "long texts": raw(5, ["x" * 240_000]),
    "steps": raw(500, {f"k{n}": "x" for n in range(30)}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_e10_no_shape_takes_more_than_it_is_reckoned_when_it_is_decoded_three_times(
    shape: str,
) -> None:
    made = SHAPES[shape]
    read_known(made)
    tracemalloc.start()
    try:
        kept = [read_known(made) for _ in range(3)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(kept) == 3
    assert taken + len(made) <= weight(made)
    assert weight(made) <= 20 * (taken + len(made))


def test_e10_what_needs_nobody_weighs_nothing_and_a_watched_success_does() -> None:
    done = {"revision": 2, "phase": "Success", "steps": {"s0": {"phase": "Success"}}}
    finished = raw(1, {}, done)
    watched = finished.replace(b'"type":"random"', b'"type":"random","syncPeriodSeconds":5')
    assert told(raw(1, {})) > 0
    assert told(finished) == 0
    assert told(watched) > 0
