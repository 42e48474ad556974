"""Hypothesis strategies for random histories of one workflow, as a store is fed them (I16)."""

from typing import Any

import attrs
from hypothesis import strategies as st

from wf_core.model.phases import Phase, RequestType
from wf_core.model.requests import Request
from wf_core.model.state import OutboxEntry, Resource, StepState, Transition

STEPS = 4
TIMES = st.integers(0, 10_000).map(float)
TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=3)
PHASES = st.sampled_from(Phase)

STEP_STATES = st.builds(
    StepState,
    phase=PHASES,
    reached=st.dictionaries(PHASES, TIMES, max_size=3),
    attempt=st.integers(0, 5),
    run_error=st.none() | TEXT,
    attributes=OBJECTS,
    resource=st.none() | st.builds(Resource, status=TEXT, attributes=OBJECTS),
)
TRANSITIONS = st.builds(
    Transition, at=TIMES, before=PHASES, after=PHASES, step=st.none() | TEXT, reason=TEXT
)


@attrs.frozen
class Turn:
    """One save to be: what changes, apart from the numbers that follow from what is stored."""

    phase: Phase
    steps: dict[int, StepState]
    history: tuple[Transition, ...]
    outbox: tuple[tuple[Phase, float], ...]
    signals: dict[str, Any]
    deliver: bool
    answer: bool

    def entries(self, seq: int) -> tuple[OutboxEntry, ...]:
        """The new outbox entries, numbered after `seq`."""
        return tuple(
            OutboxEntry(seq + n, phase, at) for n, (phase, at) in enumerate(self.outbox, 1)
        )


TURNS = st.builds(
    Turn,
    phase=PHASES,
    steps=st.dictionaries(st.integers(0, STEPS - 1), STEP_STATES, max_size=3),
    history=st.lists(TRANSITIONS, max_size=2).map(tuple),
    outbox=st.lists(st.tuples(PHASES, TIMES), max_size=2).map(tuple),
    signals=OBJECTS,
    deliver=st.booleans(),
    answer=st.booleans(),
)
REQUESTS = st.builds(
    Request,
    type=st.sampled_from(RequestType),
    step=st.none() | TEXT,
    reason=TEXT,
    value=JSON,
    by=st.just("ann"),  # left out, each store names whoever it takes us for
)
EVENTS = st.lists(
    TURNS | REQUESTS | st.sampled_from(["delete", "release", "claim"]), min_size=1, max_size=8
)
"""What happens to a workflow: saves, requests, and what is written beside them."""
