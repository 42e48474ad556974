"""What the SQLite store keeps in memory only once, and when it takes its workflows one by one."""

from wf_core.adapters.sqlite.records import SHARED_BYTES, encode, workflow_of
from wf_core.adapters.sqlite.store import TOGETHER, Company
from wf_core.model.spec import Key, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec

A, B = Key("default", "a"), Key("default", "b")


def document(name: str, text: str = "") -> Workflow:
    steps = (StepSpec("only", StepTemplate("empty", {"text": text})),)
    return Workflow(Metadata(name), WorkflowSpec(steps, parameters={"name": name}))


def test_documents_of_one_template_share_their_steps() -> None:
    first, second = (workflow_of(encode(document(name))) for name in "ab")
    assert (first, second) == (document("a"), document("b"))
    assert first.spec.steps is second.spec.steps


def test_documents_of_different_steps_share_none() -> None:
    first, second = (workflow_of(encode(document("a", text))) for text in ("x", "y"))
    assert (first, second) == (document("a", "x"), document("a", "y"))


def test_large_documents_are_not_remembered() -> None:
    body = encode(document("a", "x" * SHARED_BYTES))
    assert workflow_of(body).spec.steps is not workflow_of(body).spec.steps


def test_c2_who_saves_by_itself_is_alone() -> None:
    company = Company()
    assert [company.alone(A, at) for at in (0.0, 0.1, 0.1001)] == [True, True, True]


def test_c2_workflows_that_take_turns_are_not_alone() -> None:
    company = Company()
    company.alone(A, 0.0)
    assert not company.alone(B, TOGETHER / 2)
    assert not company.alone(A, TOGETHER)


def test_c2_another_workflow_is_forgotten_after_a_while() -> None:
    company = Company()
    company.alone(A, 0.0)
    company.alone(B, TOGETHER / 2)
    assert company.alone(B, TOGETHER * 2)
