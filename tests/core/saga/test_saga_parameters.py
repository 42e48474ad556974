"""Parameters and what a step is told of the steps before it (semantics B5; seed fault 15)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core.model.outcomes import Succeeded
from wf_core.model.phases import Hook, Phase
from wf_core.model.state import Resource
from wf_core.saga.ancestry import workflow_attributes
from wf_core.saga.references import BadReference, find, parse
from wf_core.saga.resolving import resolve
from wf_core.testing.saga_driver import Drive, done, fatal, retryable, step, workflow


def given_to(own: dict[str, Any], **spec: Any) -> Drive:
    """b depends on a, which made a resource and attributes; c runs beside."""
    steps = (step("a"), step("b", "a", parameters=own), step("c"))
    saga = Drive(workflow(*steps, **spec))
    saga.report("c", done(x="c"))
    resource = Resource(status="up", id="7", name="n", attributes={"port": 80})
    saga.report("a", Succeeded(resource, {"x": {"deep": [1, 2]}}))
    return saga


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${parameters.n}", 5),
        ("n=${parameters.n}", "n=5"),
        ("${parameters.s}-${parameters.n}", "txt-5"),
        ("${attributes.x}", {"deep": [1, 2]}),
        ("${steps.a.attributes.x.deep}", [1, 2]),
        ("${steps.a.resource.id}", "7"),
        ("${steps.a.resource.attributes.port}", 80),
        ("x=${attributes.x}", 'x={"deep": [1, 2]}'),
        ("$${parameters.n}", "${parameters.n}"),
        ("a $${parameters.n}", "a ${parameters.n}"),
        ("${HOME}", "${HOME}"),
        (["${parameters.n}", {"k": "${parameters.n}"}, 3], [5, {"k": 5}, 3]),
    ],
)
def test_b5_references_are_resolved_with_the_first_intent(text: Any, value: Any) -> None:
    saga = given_to({"p": text}, parameters={"n": 5, "s": "txt"})
    assert saga.flying["b"].parameters == {"p": value}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${parameters.m}", "${parameters.m} has no value"),
        ("${attributes.x.deeper}", "${attributes.x.deeper} has no value"),
        ("${steps.c.attributes.x}", "step 'c' does not run before 'b'"),
        ("${steps.zz.resource.id}", "step 'zz' does not run before 'b'"),
        ("${wrong.x}", "it begins with parameters, attributes or steps"),
        ("${steps.a.resource.colour}", "FIELD is one of status, id, name, address, attributes"),
    ],
)
def test_b5_a_reference_without_a_value_is_fatal_without_a_call(text: str, why: str) -> None:
    saga = given_to({"p": text})
    assert why in (saga.state("b").run_error or "")
    assert "b" not in saga.called()


def test_b5_a_resource_that_is_not_there_has_no_value() -> None:
    steps = (step("a"), step("b", "a", parameters={"p": "${steps.a.resource.id}"}))
    saga = Drive(workflow(*steps))
    saga.report("a")
    assert saga.state("b").run_error == "${steps.a.resource.id} has no value"


def test_b5_the_values_are_saved_and_used_by_retry_and_undo() -> None:
    saga = given_to({"p": "${attributes.x}"})
    assert saga.saved.steps[1].parameters == {"p": {"deep": [1, 2]}}
    saga.saga._ledger.put(0, attributes={"x": "changed"})
    saga.report("b", retryable())
    saga.wait(70)
    assert saga.flying["b"].parameters == {"p": {"deep": [1, 2]}}
    saga.report("b", fatal())
    assert saga.flying["b"].hook is Hook.ROLLBACK
    assert saga.flying["b"].parameters == {"p": {"deep": [1, 2]}}


def test_b5_parameters_without_references_are_not_saved_twice() -> None:
    saga = given_to({"p": "plain"})
    assert saga.saved.steps[1].parameters is None


def test_b5_attributes_are_a_fold_over_ancestors_in_topological_order() -> None:
    steps = (step("z"), step("a"), step("m", "z", "a"), step("x"), step("end", "m"))
    saga = Drive(workflow(*steps))
    for name in ("a", "z", "x"):
        saga.report(name, done(name, v=name, **{name: 1}))
    saga.report("m", done(m=1))
    attributes, resources = saga.saga.upstream_values(4)
    assert attributes == {"v": "a", "a": 1, "z": 1, "m": 1}
    assert sorted(resources) == ["a", "z"]
    assert workflow_attributes(saga.saga._ledger.graph, saga.saga.steps)["v"] == "x"


def test_b5_undo_removes_no_attributes() -> None:
    saga = Drive(workflow(step("a"), step("b", "a")))
    saga.report("a", done("made", k=1))
    saga.report("b", fatal())
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.state("a").attributes == {"k": 1}


def test_find_names_every_reference_with_its_path() -> None:
    value = {"a": ["${parameters.x}", "$${attributes.no}"], "b": "${attributes.y} ${HOME}", "c": 1}
    assert list(find(value)) == [(("a", 0), "parameters.x"), (("b",), "attributes.y")]


@pytest.mark.parametrize(
    "text", ["steps.a", "steps.a.attributes", "parameters.", "x", "steps.a..b"]
)
def test_a_misspelt_reference_says_what_would_be_right(text: str) -> None:
    with pytest.raises(BadReference, match="is not a reference"):
        parse(text)


@given(st.recursive(st.integers() | st.text("abc{}$", max_size=8), st.lists, max_leaves=6))
def test_what_has_no_reference_stays_as_it_is(value: Any) -> None:
    assert resolve(value, lambda _: pytest.fail("no reference was written")) == value


def test_fault15_a_reference_keeps_the_values_type() -> None:
    for kept in (1, 1.5, True, None, [1], {"a": 1}, "text"):
        assert resolve("${parameters.v}", lambda _: kept) == kept  # noqa: B023
