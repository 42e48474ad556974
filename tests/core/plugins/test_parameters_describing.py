"""A parameter class as people are shown it, and as JSON Schema."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Optional

import attrs
import jsonschema  # type: ignore[import-untyped]
import pytest

from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.plugins import LoadedKind


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


@attrs.frozen
class Disk:
    size_gib: int
    inner: Optional["Disk"] = None


@attrs.frozen(kw_only=True)
class Machine:
    name: str = attrs.field(metadata={"description": "How it is called."})
    size: Size = Size.SMALL
    mode: Literal["on", 5] = "on"
    share: float | None = None
    async_: bool = False
    command: str | list[str] = attrs.field(factory=lambda: ["true"])
    disks: tuple[Disk, ...] = (Disk(5),)
    labels: dict[str, str] = attrs.field(factory=dict)
    pair: tuple[str, int] = ("a", 1)
    place: Path = Path("/tmp")
    anything: Any = None
    hidden: int = attrs.field(init=False, default=1)
    derived: str = attrs.field()

    @derived.default
    def _derive(self) -> str:
        return self.name


class Kind(StepKind):
    name = "machine"
    Parameters = Machine

    def run(self, call: StepCall) -> Answer: ...
    def rollback(self, call: StepCall) -> Answer: ...


KIND = LoadedKind("machine", Kind(), "wf-machine", "1.0")


def test_fields_are_shown_in_the_order_of_the_class() -> None:
    assert [tuple(each) for each in KIND.fields()] == [
        ("name", "text", "", True, "How it is called.", ""),
        ("size", "one of small, large", '"small"', False, "", ""),
        ("mode", "one of on, 5", '"on"', False, "", ""),
        ("share", "number or nothing", "null", False, "", ""),
        ("async", "true or false", "false", False, "", ""),
        ("command", "text or list of text", '["true"]', False, "", ""),
        ("disks", "list of object", '[{"sizeGib": 5, "inner": null}]', False, "", ""),
        ("labels", "map of text to text", "{}", False, "", ""),
        ("pair", "list", '["a", 1]', False, "", ""),
        ("place", "path", '"/tmp"', False, "", ""),
        ("anything", "any value", "null", False, "", ""),
        ("derived", "text", "", False, "", ""),
    ]


def test_the_schema_is_one() -> None:
    schema = KIND.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["name"]
    assert schema["properties"]["name"] == {"type": "string", "description": "How it is called."}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"name": "a"},
        {"name": "a", "share": "0.5", "async": "true", "mode": "5"},
        {"name": "a", "share": None, "command": ["x"], "disks": [{"sizeGib": "7"}]},
        {"name": "a", "command": [1]},
        {"name": "a", "size": "medium"},
        {"name": "a", "pair": ["x"]},
        {"name": "a", "pair": ["x", 1]},
        {"name": "a", "disks": [{}]},
        {"name": "a", "labels": {"x": 1}},
        {"name": "a", "other": 1},
        {"name": "a", "hidden": 1},
        {"name": "a", "disks": [{"sizeGib": 1, "inner": {"sizeGib": 2}}]},
    ],
)
def test_the_schema_and_the_checks_agree(parameters: dict[str, Any]) -> None:
    valid = jsonschema.Draft202012Validator(KIND.schema()).is_valid(parameters)
    assert valid == (not KIND.faults(parameters, undoable=False))
