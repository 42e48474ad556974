"""What is wrong with parameters of a document, before anything runs."""

from collections.abc import Iterable
from typing import Any

import attrs
import pytest

from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.plugins import LoadedKind


@attrs.frozen
class Given:
    url: str = "http://a"
    count: int = 1
    undo: str | None = None
    tags: list[str] = attrs.field(factory=list)
    env: dict[str, str] = attrs.field(factory=dict)


class Judging(StepKind):
    name = "judging"
    Parameters = Given

    def run(self, call: StepCall) -> Answer: ...
    def rollback(self, call: StepCall) -> Answer: ...

    def faults(self, parameters: Given, *, undoable: bool) -> Iterable[str]:
        if not parameters.url.startswith("http"):
            yield "url: give an http address"
        if undoable and parameters.undo is None:
            yield "undo: is missing"
        for n, tag in enumerate(parameters.tags):
            if tag != tag.lower():
                yield f"tags[{n}]: give lower case"
        if parameters.count == 13:
            yield "these numbers do not go together: 13 and anything"
        if parameters.count == 99:
            raise ZeroDivisionError("99")


def faults(parameters: dict[str, Any], *, undoable: bool = False) -> list[str]:
    kind = LoadedKind("judging", Judging(), "wf-judging", "1.2")
    return [str(each) for each in kind.faults(parameters, undoable)]


def test_sound_parameters_have_no_faults() -> None:
    assert faults({"count": "5", "tags": ["a"]}) == []


def test_faults_of_types_come_before_the_kinds_own_checks() -> None:
    assert faults({"count": "x", "url": "ftp"}) == [
        "$.count: give a whole number, not the text 'x'"
    ]


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"url": "ftp"}, "$.url: give an http address"),
        ({"tags": ["a", "B"]}, "$.tags[1]: give lower case"),
        ({"count": 13}, "$: these numbers do not go together: 13 and anything"),
    ],
)
def test_a_sentence_of_the_kind_stands_at_the_path_of_its_key(
    parameters: dict[str, Any], fault: str
) -> None:
    assert faults(parameters) == [fault]


def test_whether_a_step_can_be_undone_is_told_to_the_kind() -> None:
    assert faults({}, undoable=True) == ["$.undo: is missing"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"count": "${attributes.count}"},
        {"url": "${attributes.url}"},
        {"tags": "${attributes.tags}"},
        {"tags": ["${attributes.TAG}"]},
        {"env": {"A": "x ${attributes.a}"}},
        {"env": "${attributes.env}"},
        {"undo": "${parameters.undo}"},
    ],
)
def test_what_holds_a_reference_is_not_judged(parameters: dict[str, Any]) -> None:
    assert faults(parameters) == []


def test_what_stands_beside_a_reference_is_judged() -> None:
    assert faults({"count": "${attributes.count}", "url": 5}) == [
        "$.url: give text, not 5; put it in quotes"
    ]
    assert faults({"env": {"A": "${attributes.a}"}, "tags": ["B"]}, undoable=True) == [
        "$.undo: is missing",
        "$.tags[0]: give lower case",
    ]


def test_text_that_only_looks_like_a_reference_is_judged() -> None:
    assert faults({"url": "${HOME}"}) == ["$.url: give an http address"]
    assert faults({"count": "$${attributes.x}"}) != []


def test_a_number_where_a_document_must_write_text_is_a_fault() -> None:
    assert faults({"env": {"PORT": 8080}}) == ["$.env.PORT: give text, not 8080; put it in quotes"]


def test_a_check_that_raises_names_its_distribution() -> None:
    assert faults({"count": 99}) == [
        "$: wf-judging 1.2 failed to check the parameters: ZeroDivisionError: 99; "
        "its author must mend it"
    ]
