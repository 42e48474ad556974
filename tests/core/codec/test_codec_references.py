"""References are checked before anything runs: they name what exists and runs before."""

from tests.core.codec.conftest import Messages, Reading, WithSteps

DOCUMENT = """
parameters: {{folder: /tmp, deep: {{a: 1}}}}
steps:
- {{name: first, stepTemplate: {{type: random}}}}
- {{name: second, stepTemplate: {{type: random}}, dependOns: [{{name: first}}]}}
- name: third
  dependOns: [{{name: second}}]
  stepTemplate: {{type: random, parameters: {{x: '{value}'}}}}
- {{name: aside, stepTemplate: {{type: random}}}}
"""
AT = "$.spec.steps[2].stepTemplate.parameters.x: "
PLACE = " (line 11, column 50)"


def about(messages: Messages, with_steps: WithSteps, value: str) -> str:
    (line,) = messages(with_steps(DOCUMENT.format(value=value)))
    assert line.startswith(AT)
    assert line.endswith(PLACE)
    return line.removeprefix(AT).removesuffix(PLACE)


def test_references_to_what_runs_before_are_accepted(
    reading: Reading, with_steps: WithSteps
) -> None:
    for value in (
        "${parameters.folder}/x",
        "${parameters.deep.a}",
        "${attributes.any}",
        "${steps.first.attributes.any}",
        "${steps.second.resource.id}",
        "$${steps.unknown.resource.id}",
        "${HOME}",
    ):
        assert reading(with_steps(DOCUMENT.format(value=value)))


def test_a_reference_to_a_step_that_does_not_run_before(
    messages: Messages, with_steps: WithSteps
) -> None:
    said = about(messages, with_steps, "${steps.aside.resource.id}")
    assert said == "step 'aside' does not run before 'third'; add it to dependOns"


def test_a_reference_to_a_step_that_does_not_exist(
    messages: Messages, with_steps: WithSteps
) -> None:
    said = about(messages, with_steps, "${steps.frist.resource.id}")
    assert said == "no step 'frist'; did you mean 'first'?"


def test_a_reference_to_the_step_itself(messages: Messages, with_steps: WithSteps) -> None:
    said = about(messages, with_steps, "${steps.third.attributes.x}")
    assert said == "step 'third' refers to itself; it can read only steps before it"


def test_a_reference_to_a_parameter_that_is_not_given(
    messages: Messages, with_steps: WithSteps
) -> None:
    said = about(messages, with_steps, "${parameters.fodler}")
    assert said == (
        "no workflow parameter 'fodler'; give it under spec.parameters; did you mean 'folder'?"
    )
    assert about(messages, with_steps, "${parameters.deep.b}") == (
        "${parameters.deep.b} has no value"
    )


def test_a_misspelt_reference(messages: Messages, with_steps: WithSteps) -> None:
    said = about(messages, with_steps, "${parameter.folder}")
    assert said == (
        "${parameter.folder} is not a reference; it begins with parameters, attributes or steps "
        "(write $${ for a literal ${)"
    )


def test_attributes_where_no_step_runs_before(messages: Messages, with_steps: WithSteps) -> None:
    text = with_steps(
        "steps: [{name: a, stepTemplate: {type: random, parameters: {x: '${attributes.b}'}}}]"
    )
    assert messages(text) == [
        "$.spec.steps[0].stepTemplate.parameters.x: step 'a' depends on no other, so there is no "
        "${attributes.b}; add dependOns (line 5, column 66)"
    ]


def test_a4_a_pivot_reads_every_step_that_is_not_behind_it(
    messages: Messages, reading: Reading, with_steps: WithSteps
) -> None:
    text = """
steps:
- {{name: a, stepTemplate: {{type: random}}}}
- {{name: p, pivot: {pivot}, stepTemplate: {{type: random, parameters: {{x: '{value}'}}}}}}
"""
    value = "${steps.a.attributes.x}"
    assert reading(with_steps(text.format(pivot="true", value=value)))
    assert "does not run before" in messages(with_steps(text.format(pivot="false", value=value)))[0]


def test_a4_what_stands_behind_the_pivot_need_not_be_undoable(
    messages: Messages, with_steps: WithSteps
) -> None:
    text = with_steps(
        """
steps:
- {name: before, stepTemplate: {type: undoable}}
- {name: excused, rollback: None, stepTemplate: {type: undoable}}
- {name: turn, pivot: true, stepTemplate: {type: undoable}}
- {name: after, dependOns: [{name: turn}], stepTemplate: {type: undoable}}
"""
    )
    assert [line.split(":")[0] for line in messages(text)] == [
        "$.spec.steps[0].stepTemplate.parameters.rollback",
        "$.spec.steps[2].stepTemplate.parameters.rollback",
    ]


def test_references_are_checked_although_other_dependencies_are_faulty(
    messages: Messages, with_steps: WithSteps
) -> None:
    text = with_steps(DOCUMENT.format(value="${steps.aside.resource.id}")).replace(
        "[{name: first}]", "[{name: first}, {name: nobody}]"
    )
    assert [line.split(":")[0] for line in messages(text)] == [
        "$.spec.steps[1].dependOns[1].name",
        "$.spec.steps[2].stepTemplate.parameters.x",
    ]
