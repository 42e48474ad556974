"""Whatever state decodes: somebody may have written it there, or restored half of it. No machine
ends in anything but its own words (semantics C10), and explaining it always works."""

import contextlib
import typing
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Steps
from hypothesis import strategies as st
from msgspec.structs import replace

from wf_core.errors import EngineError
from wf_core.model.spec import Workflow
from wf_core.model.state import OutboxEntry, StepState, Stored, WorkflowState
from wf_core.saga.events import Admitted, DeletionAsked
from wf_core.saga.explain import explain
from wf_core.saga.machine import Saga
from wf_core.saga.table import STEPS_IN
from wf_core.testing.saga_driver import KINDS, START, Gate, step, workflow
from wf_core.testing.store_strategies import OBJECTS, TEXT

NUMBERS = st.sampled_from([0, 1, 2, 2**31, 2**53, 2**63 - 1, -1, -(2**63)])
TIMES = st.sampled_from([0.0, 5.0, START - 1, START, START + 1, 1e308, -1e308, -1.0])
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: NUMBERS,
    float: TIMES,
    bool: st.booleans(),
    dict[str, Any]: OBJECTS,
}


def anything(of: Any) -> st.SearchStrategy[Any]:
    """Any value that decodes as `of`, a type of the stored form."""
    if of in SCALARS:
        return SCALARS[of]
    origin, arguments = typing.get_origin(of), typing.get_args(of)
    if origin is dict:
        return st.dictionaries(anything(arguments[0]), anything(arguments[1]), max_size=3)
    if origin is tuple:
        return st.lists(anything(arguments[0]), max_size=3).map(tuple)
    if arguments:
        return st.one_of(st.none(), *(anything(a) for a in arguments if a is not type(None)))
    if issubclass(of, msgspec.Struct):
        hints = typing.get_type_hints(of)
        required = {field.name for field in msgspec.structs.fields(of) if field.required}
        fields = {name: anything(hint) for name, hint in hints.items()}
        return st.fixed_dictionaries(
            {name: each for name, each in fields.items() if name in required},
            optional={name: each for name, each in fields.items() if name not in required},
        ).map(lambda given: of(**given))
    return st.sampled_from(list(of))


DOCUMENTS = st.sampled_from(
    [
        workflow(step("a"), step("b", "a"), step("c", "a")),
        workflow(step("a", pivot=True), step("b", "a", kind="once"), step("c", "b", kind="blind")),
        workflow(step("a", kind="gone"), step("b"), step("c", sync_period_seconds=5.0)),
        workflow(step("a"), step("b"), step("c", "b"), active_deadline_seconds=10.0),
    ]
)


@settings(
    suppress_health_check=list(HealthCheck),
    max_examples=100,
    phases=(Steps.explicit, Steps.generate),  # such values shrink for minutes
    deadline=None,
)
@given(
    DOCUMENTS,
    anything(WorkflowState),
    st.tuples(*[anything(StepState)] * 3),
    st.lists(anything(OutboxEntry), max_size=2).map(tuple),
    st.data(),
)
def test_c10_any_state_that_decodes_is_recovered_explained_and_turned_back(
    document: Workflow,
    head: WorkflowState,
    steps: tuple[StepState, ...],
    outbox: tuple[OutboxEntry, ...],
    data: st.DataObject,
) -> None:
    if data.draw(st.booleans(), "a state that engines leave"):
        phases = st.sampled_from(sorted(STEPS_IN[head.phase]))
        steps = tuple(replace(each, phase=data.draw(phases)) for each in steps)
    stored = Stored(document, head, steps, outbox)
    assert msgspec.json.decode(msgspec.json.encode(stored), type=Stored) == stored
    explain(stored, KINDS, START)
    with contextlib.suppress(EngineError):  # the move that can't be made, in a sentence
        saga = Saga(stored, KINDS, Gate())
        saga.advance([], START)
        if saga.wants_slot:
            saga.advance([Admitted()], START + 1)
        saga.advance([DeletionAsked(START + 2)], START + 2)
        assert saga.rests in (True, False)
        explain(saga.snapshot(), KINDS, START + 3)
