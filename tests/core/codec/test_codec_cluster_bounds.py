"""How much one object of a cluster may hold: every save costs for each of its values (C7)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core import codec
from wf_core.codec.cluster_bounds import (
    CLUSTER_CONDITIONS,
    CLUSTER_VALUES,
    beyond_a_cluster,
    values,
)
from wf_core.model.spec import DependOn, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec


def workflow(conditions: int = 0, parameters: Any = None, own: Any = None) -> Workflow:
    """A layer of 64 steps, and as many below it as it takes for so many conditions."""
    template = StepTemplate("random", parameters or {})
    first = [StepSpec(f"a{n}", StepTemplate("random")) for n in range(64)]
    every = tuple(DependOn(step.name) for step in first)
    full, rest = divmod(conditions, 64)
    below = [StepSpec(f"b{n}", template, every) for n in range(full)]
    last = StepSpec("z", template, every[:rest])
    return Workflow(Metadata("w"), WorkflowSpec((*first, *below, last), parameters=own or {}))


def test_c7_more_conditions_than_a_cluster_takes_are_told_with_what_to_do() -> None:
    assert list(beyond_a_cluster(workflow(CLUSTER_CONDITIONS))) == []
    (said,) = beyond_a_cluster(workflow(CLUSTER_CONDITIONS + 1))
    assert said == (
        "it has 4,001 entries in `dependOns`, and a Kubernetes cluster takes 4,000 in one "
        "workflow: where many steps wait for the same many, put one step between that waits for "
        "them all, or split the workflow"
    )
    assert codec.advice(workflow(CLUSTER_CONDITIONS + 1)) == [
        f"it runs here, but not in a cluster: {said}"
    ]


@pytest.mark.parametrize("where", ["parameters", "own"])
@pytest.mark.parametrize("one", [0, "x", [], {}, None, "${parameters.a}"])
def test_c7_values_count_whatever_they_are_and_wherever_they_are(where: str, one: Any) -> None:
    many = CLUSTER_VALUES // (2 if one == "${parameters.a}" else 1)

    def told(count: int) -> list[str]:
        given = {"a": [one] * count}
        made = workflow(own=given) if where == "own" else workflow(parameters=given)
        return list(beyond_a_cluster(made))

    assert told(many - 1) == []
    (said,) = told(many)
    assert said.startswith("its parameters hold more than 20,000 values")
    assert said.endswith("keep the data elsewhere and pass its address, or split the workflow")


def test_c7_references_in_one_text_count_each() -> None:
    assert list(beyond_a_cluster(workflow(parameters={"a": "${parameters.a}" * 19_999}))) == []
    (said,) = beyond_a_cluster(workflow(parameters={"a": "${parameters.a}" * 20_000}))
    assert "and references" in said


def count(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    texts = value.count("${") if isinstance(value, str) else 0
    return 1 + texts + sum(map(count, inner))


_JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(["", "${a.b}", "x${a.b}${c.d}"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=2), inner),
)


@given(st.lists(st.dictionaries(st.text(max_size=2), _JSON)), st.integers(0, 50))
def test_c7_the_count_is_exact_up_to_the_most_and_above_it_beyond(
    given_: list[dict[str, Any]], most: int
) -> None:
    exact = sum(count(each) for parameters in given_ for each in parameters.values())
    found = values(given_, most)
    assert found == exact if exact <= most else found > most


def test_c7_what_is_too_much_is_not_counted_to_its_end() -> None:
    """A thousand million million of them, were they looked at one by one."""
    shared: Any = 0
    for _ in range(5):
        shared = [shared] * 1000
    (said,) = beyond_a_cluster(workflow(own={"a": shared}))
    assert "more than 20,000 values" in said
