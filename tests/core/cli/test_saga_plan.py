"""The order of running and of undoing, told before anything runs."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.cli.made import DONE, step, stored, workflow

from wf_core.model.phases import Phase
from wf_core.model.spec import DependOn, StepSpec
from wf_core.model.state import StepState
from wf_core.saga.plan import effects_left, plan


def test_steps_run_in_layers_and_are_undone_in_the_reverse_order() -> None:
    planned = plan([step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), step("e")])
    assert planned.run == (("a", "e"), ("b", "c"), ("d",))
    assert planned.undo == (("d", "e"), ("b", "c"), ("a",))


def test_a4_the_pivot_runs_after_all_that_is_not_below_it() -> None:
    planned = plan([step("pay", "a", pivot=True), step("a"), step("free"), step("ship", "pay")])
    assert planned.run == (("a", "free"), ("pay",), ("ship",))
    assert planned.pivot == "pay"


def test_a4_what_is_past_the_pivot_is_never_undone() -> None:
    planned = plan(
        [step("a"), step("pay", "a", pivot=True), step("ship", "pay"), step("z", "ship")]
    )
    assert planned.past_pivot == ("ship", "z")
    assert planned.undo == (("pay",), ("a",))


def test_a4_a_step_that_waits_for_the_pivot_to_be_running_may_still_be_undone() -> None:
    beside = step("beside", DependOn("pay", Phase.RUNNING))
    planned = plan([step("pay", pivot=True), beside, step("ship", "pay", "beside")])
    assert planned.past_pivot == ("ship",)
    assert planned.undo == (("beside",), ("pay",))


def test_a3_a_step_that_cannot_be_undone_is_named_and_passed_over() -> None:
    planned = plan([step("a"), step("mail", "a", undoable=False), step("b", "mail")])
    assert planned.irreversible == ("mail",)
    assert planned.undo == (("b",), ("a",))


@st.composite
def graphs(draw: st.DrawFn) -> list[StepSpec]:
    """Acyclic graphs of up to eight steps, some with a pivot."""
    count = draw(st.integers(1, 8))
    pivot = draw(st.none() | st.integers(0, count - 1))
    return [
        step(
            f"s{i}",
            *(f"s{up}" for up in range(i) if draw(st.booleans())),
            pivot=i == pivot,
            undoable=draw(st.booleans()),
        )
        for i in range(count)
    ]


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_every_step_runs_once_and_after_what_it_waits_for(steps: list[StepSpec]) -> None:
    layers = {name: n for n, layer in enumerate(plan(steps).run) for name in layer}
    assert sorted(layers) == sorted(each.name for each in steps)
    for each in steps:
        assert all(layers[up.name] < layers[each.name] for up in each.depend_ons)


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_i3_no_step_is_undone_before_what_depends_on_it(steps: list[StepSpec]) -> None:
    planned = plan(steps)
    layers = {name: n for n, layer in enumerate(planned.undo) for name in layer}
    named = [*layers, *planned.past_pivot, *planned.irreversible]
    assert {each.name for each in steps} == set(named)
    assert not layers.keys() & {*planned.past_pivot, *planned.irreversible}
    for each in steps:
        for up in each.depend_ons:
            if each.name in layers and up.name in layers:
                assert layers[each.name] < layers[up.name]


def test_effects_are_left_where_a_step_ran_and_is_not_undone() -> None:
    made = workflow(step("a"), step("b"), step("c"))
    undone = StepState(phase=Phase.ROLL_BACKED, attempt=1)
    assert effects_left(stored(made, DONE, undone)) == ("a",)
    assert effects_left(stored(made, undone)) == ()
