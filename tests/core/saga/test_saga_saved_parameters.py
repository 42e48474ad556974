"""What an undo is told is what its run was told, whatever version of the kind is there by then
(semantics B5, B10, C7)."""

from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.model.phases import BlockReason, Hook, OnFailure, Phase, RequestType, Verdict
from wf_core.model.spec import DependOn
from wf_core.model.state import MAX_SAVED_PARAMETERS
from wf_core.plugins import LoadedKind
from wf_core.saga.saved_parameters import difference, merged
from wf_core.testing.saga_driver import KINDS, Drive, Kind, fatal, retryable, step, workflow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text("abc", max_size=2), JSON, max_size=4)


def version(number: int, **defaults: Any) -> dict[str, Kind]:
    return {**KINDS, "plain": Kind(identity=f"test {number}.0", defaults=defaults)}


def undone_under(kinds: dict[str, Kind], saga: Drive) -> Drive:
    """The run is over and its workflow turns back under other kinds."""
    saga.kinds = kinds
    saga.crash()
    saga.report("b", fatal())
    saga.report("b")  # its undo
    return saga


def begun(first: dict[str, Kind], parameters: dict[str, Any]) -> Drive:
    steps = (step("a", parameters=parameters), step("b", "a", kind="blind"))
    saga = Drive(workflow(*steps), kinds=first)
    saga.report("a")
    return saga


def test_b5_an_undo_is_told_the_defaults_of_the_version_that_ran() -> None:
    saga = begun(version(1, n=1, deep={"x": 1, "y": 2}), {"deep": {"x": 7}})
    saga = undone_under(version(2, n=2, deep={"x": 9, "y": 9}), saga)
    assert saga.flying["a"].hook is Hook.ROLLBACK
    assert saga.flying["a"].parameters == {"n": 1, "deep": {"x": 7}}


def test_b5_a_retry_is_told_what_the_first_attempt_was() -> None:
    saga = Drive(workflow(step("a")), kinds=version(1, n=1))
    saga.report("a", retryable())
    saga.kinds = version(2, n=2)
    saga.crash()
    saga.wait(70)
    assert saga.flying["a"].parameters == {"n": 1}


def test_b5_what_the_document_says_as_it_is_is_not_saved_again() -> None:
    saga = Drive(workflow(step("a", parameters={"n": 1})), kinds=version(1, n=1))
    assert saga.saved.steps[0].parameters is None
    saga = Drive(workflow(step("a", parameters={"n": 1})), kinds=version(1, n=1, m=2))
    assert saga.saved.steps[0].parameters == {"m": 2}


@given(OBJECTS, OBJECTS)
def test_b5_what_is_saved_put_over_the_document_is_the_whole(
    given_: dict[str, Any], brought: dict[str, Any]
) -> None:
    whole = merged(given_, brought)
    saved = difference(given_, whole)
    assert merged(given_, saved) == whole
    assert difference(given_, given_) == {}


@given(OBJECTS)
def test_b5_parameters_that_schema_1_saved_whole_are_read_as_they_are(
    whole: dict[str, Any],
) -> None:
    document = {key: f"${{attributes.{key}}}" for key in whole}
    assert merged(document, whole) == whole


def test_b10_an_undo_whose_parameters_a_newer_class_does_not_take_waits_and_goes_on() -> None:
    first = version(1, n=1)

    @attrs.define
    class Newer(Kind):
        def decode(self, parameters: dict[str, Any]) -> object:
            if "n" in parameters:
                raise ValueError("n: there is no such parameter")
            return parameters

    saga = undone_under({**KINDS, "plain": Newer(identity="test 2.0")}, begun(first, {}))
    blocked = saga.state("a").blocked
    assert blocked is not None
    assert blocked.reason is BlockReason.KIND_UNAVAILABLE
    assert blocked.message == (
        "its parameters no longer decode with test 2.0: n: there is no such parameter; they were "
        "saved under test 1.0: install a version that takes them, and start the engine again"
    )
    assert saga.called(Hook.ROLLBACK, "a") == []
    saga.kinds = first
    saga.crash()
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED
    assert saga.calls[-1].call.parameters == {"n": 1}


def test_b10_the_version_that_ran_is_kept_beside_those_that_undo() -> None:
    saga = undone_under(version(2), begun(version(1), {}))
    assert (saga.state("a").kind, saga.state("a").run_kind) == ("test 2.0", "test 1.0")
    saga.kinds = version(3)
    saga.crash()
    saga.go()
    assert (saga.state("a").kind, saga.state("a").run_kind) == ("test 3.0", "test 1.0")


def test_b10_where_one_version_runs_and_undoes_it_is_named_once() -> None:
    saga = undone_under(version(1), begun(version(1), {}))
    saga.go()
    assert (saga.state("a").kind, saga.state("a").run_kind) == ("test 1.0", "")


def test_b5_the_undo_of_what_a_person_did_instead_is_told_resolved_parameters_too() -> None:
    never = DependOn("a", Phase.SUCCESS, "never shown")
    own = {"p": "${parameters.x}"}
    document = workflow(
        step("a", kind="blind"),
        step("b", never, parameters=own),
        parameters={"x": 7},
        on_failure=OnFailure.PAUSE,
    )
    saga = Drive(document, kinds=version(1, n=1))
    saga.report("a")
    assert saga.ask(RequestType.MARK_SUCCEEDED, "b") is Verdict.APPLIED
    saga.kinds = version(2, n=2)
    saga.crash()
    saga.ask(RequestType.ROLLBACK)
    assert saga.flying["b"].hook is Hook.ROLLBACK
    assert saga.flying["b"].parameters == {"p": 7, "n": 1}


def test_c7_parameters_that_cannot_be_saved_are_fatal_without_a_call() -> None:
    text = "x" * (MAX_SAVED_PARAMETERS // 4)
    own = {"p": "${parameters.text}" * 4}
    saga = Drive(workflow(step("a", parameters=own), parameters={"text": text}))
    assert saga.called() == []
    assert saga.phase is Phase.ROLL_BACKED
    assert (saga.state("a").run_error or "").startswith(
        "ParametersTooLarge: its parameters are 262,152 bytes once references have their values, "
        "and a step may save 262,144"
    )


def test_c7_all_steps_together_save_no_more_and_what_they_saved_is_counted_after_a_crash() -> None:
    text = "x" * (MAX_SAVED_PARAMETERS // 2)
    steps = [step("s0", parameters={"p": "${parameters.text}"})]
    steps += [step(f"s{k}", f"s{k - 1}", parameters={"p": "${parameters.text}"}) for k in (1, 2)]
    saga = Drive(workflow(*steps, parameters={"text": text}))
    saga.report("s0")
    saga.crash()
    saga.report("s1")
    assert "all steps of a workflow together may save" in (saga.state("s2").run_error or "")
    assert "s2" not in saga.called()


def test_c7_what_the_document_itself_says_is_not_counted() -> None:
    text = "x" * (MAX_SAVED_PARAMETERS // 2)
    steps = [step(f"s{k}", parameters={"p": {"text": text}}) for k in range(4)]
    saga = Drive(workflow(*steps), kinds=version(1, q=1))
    assert sorted(saga.called()) == ["s0", "s1", "s2", "s3"]


def test_c7_many_steps_with_defaults_of_an_ordinary_size_are_saved() -> None:
    saga = Drive(workflow(*[step(f"s{k}") for k in range(1000)]), kinds=version(1, d="x" * 900))
    assert len(saga.called()) == 1000


def lowered(text: str) -> str:
    return text.lower()


@attrs.frozen
class Inner:
    size: int = 3
    words: tuple[str, ...] = ("a",)


@attrs.frozen
class Counted:
    n: int = 1
    inner: Inner = Inner()
    shape: str = attrs.field(default="round", converter=lowered)


def grown(text: str) -> str:
    return text + "!"


@attrs.frozen
class Growing:
    text: str = attrs.field(default="", converter=grown)


class OfCounted(StepKind):
    name: ClassVar[str] = "plain"
    Parameters: ClassVar[type] = Counted

    def run(self, call: StepCall) -> Answer: ...

    def rollback(self, call: StepCall) -> Answer: ...


class OfGrowing(OfCounted):
    Parameters: ClassVar[type] = Growing


def loaded(kind: StepKind) -> dict[str, Any]:
    return {**KINDS, "plain": LoadedKind("plain", kind, "wf-thing", "1.0")}


@pytest.mark.parametrize("given_", [{}, {"inner": {"size": "4"}}, {"shape": "SQUARE", "n": 1}])
def test_b5_a_kinds_own_class_is_saved_with_nested_defaults(given_: dict[str, Any]) -> None:
    saga = Drive(workflow(step("a", parameters=given_)), kinds=loaded(OfCounted()))
    first = saga.flying["a"].parameters
    assert isinstance(first, Counted)
    whole = {
        "n": first.n,
        "inner": {"size": first.inner.size, "words": ["a"]},
        "shape": first.shape,
    }
    assert merged(given_, saga.saved.steps[0].parameters or {}) == whole
    saga.crash()
    assert saga.flying["a"].parameters == first


def test_b5_parameters_that_change_when_they_are_read_again_are_fatal_without_a_call() -> None:
    saga = Drive(workflow(step("a", parameters={"text": "x"})), kinds=loaded(OfGrowing()))
    assert saga.called() == []
    assert "are others once they are saved and read again" in (saga.state("a").run_error or "")
    assert "wf-thing 1.0" in (saga.state("a").run_error or "")


def test_b3_keys_come_for_ever_from_the_uid_under_which_the_first_intent_was_saved() -> None:
    saga = Drive(workflow(step("a"), step("b", "a")), admitted=False)
    assert saga.saga.head.key_uid == ""
    saga.go()
    assert saga.saved.head.key_uid == "uid-w"
    document = saga.saved.workflow
    other = replace(document, metadata=replace(document.metadata, uid="uid-other"))
    again = Drive(replace(saga.saved, workflow=other))
    assert again.saga.key_uid == "uid-w"
    assert again.saved.key_uid == "uid-w"


def test_b3_a_workflow_begun_before_its_uid_was_saved_has_it_with_the_next_save() -> None:
    saga = Drive(workflow(step("a")))
    old = replace(saga.saved, head=replace(saga.saved.head, key_uid=""))
    again = Drive(old)
    assert again.saves == 1
    assert again.saved.head.key_uid == "uid-w"
