"""Dependencies are checked as a whole before anything runs."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.codec.conftest import FakeKinds, Messages, Reading, WithSteps

from wf_core import codec
from wf_core.codec.graph_checks import cycles, graph_faults
from wf_core.model.phases import Phase
from wf_core.model.spec import DependOn, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_core.model.state import MAX_STEPS
from wf_core.saga.graph import find_cycle


def steps(*upstream: list[int], kind: str = "random") -> list[StepSpec]:
    """Steps step0, step1, ..., each with the numbers of those it depends on."""
    return [
        StepSpec(f"step{i}", StepTemplate(kind), tuple(DependOn(f"step{u}") for u in ups))
        for i, ups in enumerate(upstream)
    ]


def said(*upstream: list[int]) -> list[str]:
    return [str(fault) for fault in graph_faults(steps(*upstream))]


def test_seed_fault_07_a_cycle_is_named_in_full_and_never_hangs() -> None:
    assert said([], [3], [1], [2, 0]) == [
        "$.spec.steps[1].dependOns[0].name: the steps depend on each other in a cycle: "
        "step1 -> step3 -> step2 -> step1"
    ]


def test_seed_fault_07_an_unknown_dependency_is_a_fault(
    messages: Messages, with_steps: WithSteps
) -> None:
    text = with_steps(
        """
steps:
- name: build
  stepTemplate: {type: random}
- name: deploy
  stepTemplate: {type: random}
  dependOns:
  - name: biuld
  - name: nothing-like-it
"""
    )
    assert messages(text) == [
        "$.spec.steps[1].dependOns[0].name: no step 'biuld'; did you mean 'build'? "
        "(line 11, column 13)",
        "$.spec.steps[1].dependOns[1].name: no step 'nothing-like-it' (line 12, column 13)",
    ]


def test_a_step_that_depends_on_itself() -> None:
    assert said([0]) == ["$.spec.steps[0].dependOns[0].name: step 'step0' depends on itself"]


def test_one_cycle_for_each_group_that_waits_for_itself() -> None:
    found = list(cycles(steps([1], [0], [3], [4], [2, 3], [0])))
    assert found == [[0, 1, 0], [2, 3, 4, 2]]


def test_duplicate_names(messages: Messages, with_steps: WithSteps) -> None:
    one = "{name: a, stepTemplate: {type: random}}"
    assert messages(with_steps(f"steps:\n- {one}\n- {one}\n- {one}")) == [
        "$.spec.steps[1].name: step 'a' is already at steps[0]; names are unique "
        "(line 7, column 12)",
        "$.spec.steps[2].name: step 'a' is already at steps[0]; names are unique "
        "(line 8, column 12)",
    ]


def test_a6_a_step_waits_only_for_running_or_success(
    messages: Messages, with_steps: WithSteps
) -> None:
    text = with_steps(
        """
steps:
- {name: a, stepTemplate: {type: random}}
- {name: b, stepTemplate: {type: random}, dependOns: [{name: a, phase: Failed}]}
- {name: c, stepTemplate: {type: random}, dependOns: [{name: a, phase: Sucess}]}
"""
    )
    assert messages(text) == [
        "$.spec.steps[1].dependOns[0].phase: must be Running or Success, not the text 'Failed' "
        "(line 7, column 74)",
        "$.spec.steps[2].dependOns[0].phase: must be Running or Success, not the text 'Sucess'; "
        "did you mean 'Success'? (line 8, column 74)",
    ]


def test_a6_the_phase_is_also_checked_in_a_workflow_that_was_not_read() -> None:
    bad = [*steps([]), StepSpec("b", StepTemplate("x"), (DependOn("step0", Phase.FAILED),))]
    assert [str(fault) for fault in graph_faults(bad)] == [
        "$.spec.steps[1].dependOns[0].phase: must be Running or Success, not 'Failed'"
    ]


def test_a4_at_most_one_pivot(messages: Messages, with_steps: WithSteps) -> None:
    text = with_steps(
        """
steps:
- {name: a, pivot: true, stepTemplate: {type: random}}
- {name: b, pivot: true, stepTemplate: {type: random}}
"""
    )
    assert messages(text) == [
        "$.spec.steps[1].pivot: step 'a' is the pivot already; a workflow has at most one "
        "(line 7, column 22)"
    ]


def test_a6_a_status_that_only_run_can_give_is_no_fault(
    reading: Reading, with_steps: WithSteps
) -> None:
    for kind in ("random", "plain"):
        document = with_steps(
            f"""
steps:
- {{name: a, stepTemplate: {{type: {kind}}}}}
- {{name: b, stepTemplate: {{type: random}}, dependOns: [{{name: a, resourceStatus: Ready}}]}}
"""
        )
        assert reading(document).spec.steps[1].depend_ons[0].resource_status == "Ready"


def test_a_status_of_an_unknown_kind_is_one_fault_only(
    messages: Messages, with_steps: WithSteps
) -> None:
    text = with_steps(
        """
steps:
- {name: a, stepTemplate: {type: nosuch}}
- {name: b, stepTemplate: {type: random}, dependOns: [{name: a, resourceStatus: Ready}]}
"""
    )
    assert messages(text) == [
        "$.spec.steps[0].stepTemplate.type: no installed plugin brings the kind 'nosuch' "
        "(line 6, column 36)"
    ]


def test_too_many_steps_are_one_fault_and_many_are_advised_against(kinds: FakeKinds) -> None:
    def workflow(count: int) -> Workflow:
        return Workflow(Metadata("w"), WorkflowSpec(tuple(steps(*[[] for _ in range(count)]))))

    assert [str(fault) for fault in codec.faults(workflow(MAX_STEPS + 1), kinds)] == [
        "$.spec.steps: has 10,001 steps; a workflow has at most 10,000"
    ]
    assert codec.advice(workflow(500)) == []
    assert codec.advice(workflow(501)) == [
        "it runs here, but not in a cluster: it has 501 steps, and a Kubernetes cluster takes 500 "
        "in one workflow: split it"
    ]


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(2, 7))
    others = [[u for u in range(size) if u != i] for i in range(size)]
    return [draw(st.lists(st.sampled_from(each), max_size=3)) for each in others]


@given(graphs())
def test_cycles_are_real_and_found_exactly_where_there_are_any(upstream: list[list[int]]) -> None:
    found = list(cycles(steps(*upstream)))
    assert bool(found) == (find_cycle(upstream) is not None)
    for cycle in found:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(b in upstream[a] for a, b in itertools.pairwise(cycle))


@pytest.mark.parametrize("closed", [False, True])
def test_a_chain_of_ten_thousand_steps_is_checked_without_recursion(closed: bool) -> None:
    last = MAX_STEPS - 1
    chain = steps([last] if closed else [], *[[i] for i in range(last)])
    assert len(list(cycles(chain))) == int(closed)
