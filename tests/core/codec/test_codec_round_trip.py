"""What is written is read back as it was, and kubectl's rules hold on the way out too."""

import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from wf_core import codec
from wf_core.codec.scalars import MAX_WHOLE
from wf_core.model.phases import DeletionPolicy, OnFailure, Phase, RollbackMode, RollbackPolicy
from wf_core.model.spec import (
    Callback,
    DependOn,
    Metadata,
    RetryPolicy,
    StepSpec,
    StepTemplate,
    TimeToLive,
    Workflow,
    WorkflowSpec,
)

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_TRICKY = st.sampled_from(
    [
        *("y", "no", "1e3", "08", "0x1F", "12:30:45", "2026-01-01", "~", "", "null", ".inf", "<<"),
        *("a\nb\n", "  a\n", "a \nb", "\n", "- x", "a: b", "# c", "*x", "&x", "!x", "="),
        *("\x85", "\u2028", "\ufeff", "\x00", "a\n\n", "a\n\tb"),
    ]
)
# A reference would have to name something; `$` alone can't begin one.
_PLAIN_TEXT = (_TEXT | _TRICKY).map(lambda text: text.replace("$", "S"))
_SECONDS = st.floats(0, 1e6) | st.integers(0, 10**6).map(float)
_LIMITED = st.none() | st.floats(0.001, 1e6)
_LIMITS = st.integers(-1, 10)
_LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_WHOLE, MAX_WHOLE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _PLAIN_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_PLAIN_TEXT, inner, max_size=3),
    max_leaves=6,
)
_PARAMETERS = st.dictionaries(_PLAIN_TEXT, _JSON, max_size=3)


def sound(policy: RetryPolicy) -> RetryPolicy:
    """With a maximum that is no less than its periods."""
    periods = (policy.run_retry_period_seconds, policy.rollback_retry_period_seconds)
    return replace(policy, max_period_seconds=max(policy.max_period_seconds, *periods))


_TEMPLATES = st.builds(
    StepTemplate,
    type=st.just("random"),
    parameters=_PARAMETERS,
    retry_policy=st.builds(
        RetryPolicy, _LIMITS, _SECONDS, _LIMITS, _SECONDS, st.floats(1, 10), _SECONDS
    ).map(sound),
    rollback_policy=st.none() | st.sampled_from(RollbackPolicy),
    sync_period_seconds=_SECONDS,
    timeout_seconds=_LIMITED,
    rollback_timeout_seconds=_LIMITED,
)
_CALLBACKS = st.builds(
    Callback,
    url=st.sampled_from(["", "http://localhost:8080/abc", "https://[::1]/"]),
    ignore_not_found=st.booleans(),
    events=st.none() | st.just(()) | st.just(("workflow.Success", "step.Failed")),
)
_AGE = st.none() | st.sampled_from([0.0, 0.5, 3600.0])
_AGES = st.builds(TimeToLive, success=_AGE, roll_backed=_AGE, failed=_AGE)


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    names = draw(st.lists(_LABELS, min_size=1, max_size=4, unique=True))
    pivot = draw(st.none() | st.sampled_from(names))
    steps = []
    for i, name in enumerate(names):
        upstream = draw(st.lists(st.sampled_from(names[:i]), max_size=2)) if i else []
        depend_ons = tuple(
            DependOn(
                up,
                draw(st.sampled_from([Phase.RUNNING, Phase.SUCCESS])),
                draw(st.none() | _PLAIN_TEXT),
            )
            for up in upstream
        )
        mode = draw(st.sampled_from(RollbackMode))
        steps.append(StepSpec(name, draw(_TEMPLATES), depend_ons, name == pivot, mode))
    return Workflow(
        Metadata(
            draw(_LABELS),
            draw(_LABELS),
            labels=draw(st.dictionaries(_PLAIN_TEXT, _PLAIN_TEXT, max_size=2)),
            annotations=draw(st.dictionaries(_PLAIN_TEXT, _PLAIN_TEXT, max_size=2)),
        ),
        WorkflowSpec(
            tuple(steps),
            queue=draw(_PLAIN_TEXT),
            priority=draw(st.integers(-100, 100)),
            suspend=draw(st.booleans()),
            parameters=draw(_PARAMETERS),
            callback=draw(st.none() | _CALLBACKS),
            rollback_policy=draw(st.sampled_from(RollbackPolicy)),
            on_failure=draw(st.sampled_from(OnFailure)),
            deletion_policy=draw(st.sampled_from(DeletionPolicy)),
            active_deadline_seconds=draw(_LIMITED),
            ttl_seconds_after_finished=draw(_AGES),
        ),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(workflows())
def test_c9_what_is_written_is_read_back_as_it_was(workflow: Workflow) -> None:
    assert codec.read(codec.dump(workflow), "", None) == workflow


def small(**spec: object) -> Workflow:
    step = StepSpec("a", StepTemplate("random"))
    return Workflow(Metadata("w"), WorkflowSpec((step,), **spec))  # type: ignore[arg-type]


def test_defaults_are_left_out() -> None:
    assert codec.to_document(small()) == {
        "apiVersion": "workflow.example.com/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {"steps": [{"name": "a", "stepTemplate": {"type": "random"}}]},
    }


def test_c9_text_that_kubectl_would_not_read_as_text_is_quoted() -> None:
    texts = ["1e3", "08", "y", "~", "0o17", "12:30:45"]
    written = codec.dump(small(parameters={text: text for text in texts}))
    for text in texts[:-1]:
        assert f'"{text}": "{text}"' in written


def test_text_of_several_lines_is_written_as_a_block() -> None:
    assert "script: |\n      set -e\n      make\n" in codec.dump(
        small(parameters={"script": "set -e\nmake\n"})
    )


def test_equal_values_are_written_out_and_never_as_aliases() -> None:
    shared = {"x": [1]}
    written = codec.dump(small(parameters={"p": shared, "q": shared}))
    assert "&" not in written
    assert yaml.safe_load(written)["spec"]["parameters"] == {"p": shared, "q": shared}


def test_with_parameters_goes_over_the_workflow_s_own() -> None:
    changed = codec.with_parameters(small(parameters={"a": 1, "b": 2}), {"b": 3, "c": 4})
    assert changed.spec.parameters == {"a": 1, "b": 3, "c": 4}


@pytest.mark.parametrize("names", [("step-%d", "step-%d"), ("step-%d", "stp-%d")])
def test_c7_ten_thousand_steps_are_read_in_seconds(names: tuple[str, str]) -> None:
    """Sound or with a misspelt dependency in every step: no work that grows with the square."""
    own, upstream = names
    steps = tuple(
        StepSpec(
            own % i,
            StepTemplate("random", {"n1": "${steps.%s.attributes.a}" % (own % 0)} if i else {}),
            (DependOn((own if i == 1 else upstream) % (i - 1)),) if i else (),
        )
        for i in range(10_000)
    )
    started = time.process_time()
    found = codec.faults(Workflow(Metadata("w"), WorkflowSpec(steps)), None)
    assert time.process_time() - started < 10
    assert len(found) == (0 if own == upstream else 9_998 * 2)
