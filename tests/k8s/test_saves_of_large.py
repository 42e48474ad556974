"""What a save costs where the object is large: what is sent goes by what changed, and what the API
server does goes by all values that the object has, for which its namespace makes up (semantics E7).
"""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core.model.phases import Phase
from wf_core.model.spec import DependOn, Key, Metadata, StepSpec, StepTemplate, Workflow
from wf_core.model.spec import WorkflowSpec as Spec
from wf_core.model.state import Owner, StepState
from wf_core.testing.store_values import next_save
from wf_k8s.client.pace import BYTES, VALUES, Turns, cost_of, longer, values_in, work_in
from wf_k8s.store.creating import object_of
from wf_k8s.store.known import Known, read_known
from wf_k8s.store.numbers import Numbers
from wf_k8s.store.patch import prepare


def known(steps: int, conditions: int) -> Known:
    """As the API server gives it back: every step is named by as many characters, and waits for
    those before it."""
    names = [f"s{n:03}" for n in range(steps)]
    listed = tuple(
        StepSpec(
            name,
            StepTemplate("random"),
            tuple(DependOn(each) for each in names[max(0, n - conditions) : n]),
        )
        for n, name in enumerate(names)
    )
    made = object_of(Workflow(Metadata("w", uid="u"), Spec(listed)), Key("ns", "w"))
    made["metadata"] |= {
        "uid": "u",
        "resourceVersion": "5",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    saved: dict[str, Any] = {"phase": "Running", "revision": 100, "epoch": 1, "owner": "me"}
    saved["steps"] = {name: {"phase": "Success", "attempt": 1} for name in names}
    saved["stepPhases"] = dict.fromkeys(names, "Success")
    made["status"] = saved
    return read_known(msgspec.json.encode(made))


def sent(before: Known) -> list[dict[str, Any]]:
    """The patch for one step's move."""
    changes = next_save(
        before.stored(Numbers()), Owner("me", 1), steps={0: StepState(Phase.RUNNING, attempt=1)}
    )
    made = prepare(before, changes, Numbers(), save_id="s", now=1.0)
    found: list[dict[str, Any]] = json.loads(made.body)
    return found


def test_k7_what_one_move_sends_does_not_grow_with_the_workflow() -> None:
    """But for the digits of its progress, `1/500`."""
    few, many = sent(known(10, 1)), sent(known(500, 64))
    assert [(op["op"], op["path"]) for op in few] == [(op["op"], op["path"]) for op in many]
    assert len(json.dumps(many)) - len(json.dumps(few)) <= 2 * len("500")


def test_e7_what_a_save_counts_for_grows_as_its_values_do() -> None:
    assert cost_of(known(20, 1).work) == 1
    one, two = (known(500, each).work for each in (16, 32))
    edges = [sum(min(n, each) for n in range(500)) for each in (16, 32)]
    assert two - one == pytest.approx(2 * (edges[1] - edges[0]), rel=0.01)
    assert cost_of(two) - cost_of(one) == pytest.approx((two - one) / VALUES, abs=1)
    assert longer(1) == 1.0
    assert longer(2 * cost_of(two)) - 1 == pytest.approx(2 * (longer(cost_of(two)) - 1), rel=0.02)


def test_e7_long_texts_count_by_their_bytes() -> None:
    """etcd keeps the whole object with each save: 1.2 MB of it, a hundred times a second, fill its
    2 GB in a quarter of a minute."""
    text = json.dumps({"a": "x" * 1_200_000}).encode()
    assert cost_of(work_in(text)) == 1 + 1_200_000 // BYTES // VALUES == 76
    short = json.dumps({"a": [1] * 1_000}).encode()
    assert work_in(short) == values_in(short)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("abc"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    )
)
def test_e7_values_are_never_undercounted(value: Any) -> None:
    """A list that has something counts for one of its items too, so it may be more."""

    def held(each: Any) -> int:
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        return 1 + sum(map(held, inner))

    counted = values_in(msgspec.json.encode([value]))
    assert held(value) <= counted + 1 <= 2 * held([value])


def test_e7_only_the_namespace_of_what_is_large_makes_up_for_it() -> None:
    turns = Turns[str](10, 0.0)
    turns.ask("large", "large0", 21)
    turns.ask("large", "large1", 21)
    for n in range(30):
        turns.ask("mine", f"mine{n}")
    sent: list[tuple[float, str]] = []
    now = 0.0
    while (at := turns.next_at(now)) is not None:
        now = max(now, at)
        sent += [(now, each) for each in turns.due(now)]
    assert sent[0] == (0.0, "large0")
    ours = [at for at, each in sent if each.startswith("mine")]
    assert ours == pytest.approx([0.1 * n for n in range(1, 31)], abs=0.11)
    assert next(at for at, each in sent if each == "large1") == pytest.approx(2.1, abs=0.11)


@given(
    st.sampled_from([1.0, 10.0]),
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([1, 1, 3, 40]), st.floats(0, 2)),
        max_size=40,
    ),
)
def test_e7_no_namespace_causes_more_work_than_its_seconds_one_burst_and_one_large_request(
    qps: float, asked: list[tuple[str, int, float]]
) -> None:
    turns, now = Turns[int](qps, 0.0), 0.0
    sent: list[tuple[float, int]] = []
    for n, (namespace, cost, wait) in enumerate(asked):
        turns.ask(namespace, n, cost)
        now += wait
        sent += [(now, each) for each in turns.due(now)]
    while (at := turns.next_at(now)) is not None:
        now = max(now, at)
        sent += [(now, each) for each in turns.due(now)]
    assert sorted(each for _, each in sent) == list(range(len(asked)))
    for namespace in "abc":
        own = [(at, asked[each][1]) for at, each in sent if asked[each][0] == namespace]
        for first, (since, _) in enumerate(own):
            work = 0
            for until, cost in own[first:]:
                work += cost
                assert work <= qps * (until - since) + max(qps, 1) + 40 + 1e-3
