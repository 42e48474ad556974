"""Documents against real step kinds, found and judged by `wf_core.plugins`."""

from pathlib import Path

import attrs
import jsonschema  # type: ignore[import-untyped]
import pytest

from wf_core import codec
from wf_core.codec.compose import parse
from wf_core.codec.shape import Found, plain
from wf_core.errors import DocumentInvalid
from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.model.task import TASK_KIND, Task
from wf_core.plugins import Registry, load

EXAMPLES = Path(__file__).parents[3] / "examples"


@attrs.frozen
class PaintParameters:
    colour: str
    coats: int = 1


class Paint(StepKind):
    """Needs a colour, and has no `sync`."""

    name = "paint"
    Parameters = PaintParameters

    def run(self, call: StepCall) -> Answer:
        raise NotImplementedError(call)

    def rollback(self, call: StepCall) -> Answer:
        raise NotImplementedError(call)


@pytest.fixture
def registry() -> Registry:
    return Registry.of([Paint()], discover=False)


def document(template: str) -> str:
    return (
        "apiVersion: workflow.example.com/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n"
        "spec:\n  parameters: {coats: 2}\n  steps:\n"
        f"  - name: a\n    stepTemplate: {template}\n"
    )


def refused(template: str, registry: Registry) -> list[tuple[str, int | None, int | None]]:
    with pytest.raises(DocumentInvalid) as caught:
        codec.read(document(template), "", registry)
    at = "$.spec.steps[0].stepTemplate"
    return [(f.path.removeprefix(at), f.line, f.column) for f in caught.value.faults]


def valid(template: str, registry: Registry) -> bool:
    value = plain(parse(document(template)), "$", Found())
    return bool(jsonschema.Draft202012Validator(codec.schema(registry)).is_valid(value))


@pytest.mark.parametrize(
    "template",
    [
        "{type: paint, parameters: {colour: red, coats: 2}}",
        "{type: paint, parameters: {colour: red, coats: '2'}}",
        "{type: paint, parameters: {colour: red, coats: '${parameters.coats}'}}",
    ],
)
def test_sound_parameters_are_accepted_and_fit_the_schema(
    template: str, registry: Registry
) -> None:
    assert codec.read(document(template), "", registry)
    assert valid(template, registry)


@pytest.mark.parametrize(
    ("template", "faults"),
    [
        ("{type: piant}", [(".type", 8, 26)]),
        ("{type: paint, parameters: {colour: red, coats: []}}", [(".parameters.coats", 8, 66)]),
        (
            "{type: paint, parameters: {colour: red, coat: 1, coats: many}}",
            [(".parameters.coat", 8, 65), (".parameters.coats", 8, 75)],
        ),
        ("{type: paint, parameters: {}}", [(".parameters.colour", 8, 45)]),
        ("{type: paint}", [(".parameters.colour", 8, 19)]),
    ],
)
def test_faulty_parameters_are_refused_at_their_place(
    template: str, faults: list[tuple[str, int, int]], registry: Registry
) -> None:
    assert sorted(refused(template, registry)) == sorted(faults)


@pytest.mark.parametrize(
    "template",
    [
        "{type: piant}",
        "{type: paint}",
        "{type: paint, parameters: {}}",
        "{type: paint, parameters: {colour: red, coat: 1}}",
        "{type: paint, parameters: {colour: red, coats: []}}",
    ],
)
def test_the_schema_refuses_them_too(template: str, registry: Registry) -> None:
    assert not valid(template, registry)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_fits_the_kinds_that_it_names(path: Path) -> None:
    installed = load()
    text = path.read_text()
    read = codec.read_document(text, path.name, installed)
    document = plain(parse(text), "$", Found())
    of = Task if document["kind"] == TASK_KIND else type(read)
    jsonschema.validate(document, codec.schema(installed, of))
