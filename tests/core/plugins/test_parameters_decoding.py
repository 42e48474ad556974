"""Parameters of a document become an instance of the kind's class, or faults with their paths."""

import re
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Literal, Optional

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core.errors import Fault
from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.plugins import LoadedKind, ParametersInvalid


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "darkBlue"


class Level(Enum):
    LOW = 1
    HIGH = 2


@attrs.frozen
class Inner:
    some_name: str
    depth: int = 0
    below: Optional["Inner"] = None


@attrs.frozen(kw_only=True)
class All:
    number: float = 0.0
    whole: int = 0
    truth: bool = False
    text: str = ""
    path: Path = Path()
    colour: Colour = Colour.RED
    level: Level = Level.LOW
    mode: Literal["a", "b", 3] = "a"
    maybe: float | None = None
    either: str | list[str] = ""
    number_or_text: int | str = 0
    texts: list[str] = attrs.field(factory=list)
    tuple_: tuple[int, ...] = ()
    pair: tuple[str, int] = ("", 0)
    unique: frozenset[int] = frozenset()
    by_name: dict[str, int] = attrs.field(factory=dict)
    inners: list[Inner] = attrs.field(factory=list)
    inner_by_name: dict[str, Inner] = attrs.field(factory=dict)
    anything: Any = None
    even: int = attrs.field(default=0)

    @even.validator
    def _is_even(self, _: object, value: int) -> None:
        if value % 2:
            raise ValueError("give an even number")


@attrs.frozen
class Required:
    image_name: str
    replicas: int


def loaded(parameters: type) -> LoadedKind:
    class Kind(StepKind):
        name = "kind"
        Parameters = parameters

        def run(self, call: StepCall) -> Answer: ...
        def rollback(self, call: StepCall) -> Answer: ...

    return LoadedKind("kind", Kind(), "wf-kind", "1.0")


def decoded(**parameters: Any) -> Any:
    return loaded(All).decode(parameters)


def said(of: type, parameters: Any) -> list[str]:
    with pytest.raises(ParametersInvalid) as raised:
        loaded(of).decode(parameters)
    assert "\n" not in str(raised.value)
    return [str(each) for each in raised.value.faults]


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("number", "20", 20.0),
        ("number", 3, 3.0),
        ("number", " 2.5e1 ", 25.0),
        ("whole", "20", 20),
        ("whole", 1000.0, 1000),
        ("whole", "1e3", 1000),
        ("truth", "true", True),
        ("truth", "False", False),
        ("text", "20", "20"),
        ("path", "/a/b", Path("/a/b")),
        ("colour", "darkBlue", Colour.DARK_BLUE),
        ("level", 2, Level.HIGH),
        ("level", "2", Level.HIGH),
        ("mode", "b", "b"),
        ("mode", "3", 3),
        ("maybe", None, None),
        ("maybe", "1.5", 1.5),
        ("either", "a", "a"),
        ("either", ["a", "b"], ["a", "b"]),
        ("numberOrText", "5", "5"),
        ("numberOrText", 5, 5),
        ("texts", [], []),
        ("tuple", ["1", 2], (1, 2)),
        ("pair", ["a", "2"], ("a", 2)),
        ("unique", [1, 1, 2], frozenset({1, 2})),
        ("byName", {"a": "1"}, {"a": 1}),
        ("inners", [{"someName": "x"}], [Inner("x")]),
        ("innerByName", {"k": {"someName": "x", "depth": "2"}}, {"k": Inner("x", 2)}),
        (
            "inners",
            [{"someName": "x", "below": {"someName": "y"}}],
            [Inner("x", 0, Inner("y"))],
        ),
        ("anything", {"a": [1, None]}, {"a": [1, None]}),
    ],
)
def test_what_is_written_becomes_what_the_class_wants(
    name: str, written: Any, value: object
) -> None:
    snake = re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)
    got = getattr(decoded(**{name: written}), "tuple_" if name == "tuple" else snake)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"number": "many"}, "$.number: give a number, not the text 'many'"),
        ({"number": True}, "$.number: give a number, not true"),
        ({"number": None}, "$.number: give a number, not nothing"),
        ({"number": "nan"}, "$.number: give a number, not the text 'nan'"),
        ({"number": "1_000"}, "$.number: give a number, not the text '1_000'"),
        ({"number": 10**400}, "$.number: give a number, not " + "1" + "0" * 39),
        ({"whole": 1.5}, "$.whole: give a whole number, not 1.5"),
        ({"whole": "9" * 5000}, "$.whole: give a whole number, not the text '" + "9" * 40 + "...'"),
        ({"truth": "yes"}, "$.truth: give true or false, not the text 'yes'"),
        ({"truth": 1}, "$.truth: give true or false, not 1"),
        ({"text": []}, "$.text: give text, not a list"),
        ({"path": 5}, "$.path: give text, not 5; put it in quotes"),
        (
            {"colour": "darkblu"},
            "$.colour: give one of red, darkBlue, not the text 'darkblu'; did you mean 'darkBlue'?",
        ),
        ({"level": True}, "$.level: give one of 1, 2, not true"),
        ({"mode": 4}, "$.mode: give one of a, b, 3, not 4"),
        ({"maybe": "x"}, "$.maybe: give a number, not the text 'x'"),
        ({"either": {}}, "$.either: give text or list of text, not an object"),
        ({"either": ["a", {}]}, "$.either[1]: give text, not an object"),
        ({"texts": "abc"}, "$.texts: give a list, not the text 'abc'"),
        ({"tuple": [1, "x"]}, "$.tuple[1]: give a whole number, not the text 'x'"),
        ({"pair": ["a"]}, "$.pair: give a list of 2, not of 1"),
        ({"byName": {"a": "x"}}, "$.byName.a: give a whole number, not the text 'x'"),
        ({"byName": [1]}, "$.byName: give an object, not a list"),
        ({"inners": [{"someName": "x"}, {}]}, "$.inners[1].someName: is missing; give text"),
        (
            {"inners": [{"someName": "x", "dept": 1}]},
            "$.inners[0].dept: there is no such parameter; did you mean 'depth'?",
        ),
        ({"innerByName": {"k": 1}}, "$.innerByName.k: give an object, not 1"),
        ({"by_name": {}}, "$.by_name: there is no such parameter; did you mean 'byName'?"),
        ({"even": 3}, "$: give an even number"),
    ],
)
def test_a_wrong_value_is_a_fault_at_its_path(parameters: dict[str, Any], fault: str) -> None:
    assert said(All, parameters) == [fault]


def test_all_faults_are_collected_in_the_order_of_the_class() -> None:
    assert said(Required, {"replica": 1, "replicas": "x", "zzz": 0}) == [
        "$.imageName: is missing; give text",
        "$.replicas: give a whole number, not the text 'x'",
        "$.replica: there is no such parameter; did you mean 'replicas'?",
        "$.zzz: there is no such parameter; there are imageName, replicas",
    ]


@pytest.mark.parametrize("parameters", [[], "text", None, 5])
def test_parameters_are_an_object(parameters: Any) -> None:
    (fault,) = said(Required, parameters)
    assert fault.startswith("$: give an object, not ")


def test_a_kind_without_parameters_takes_none() -> None:
    class Bare(StepKind):
        name = "bare"

        def run(self, call: StepCall) -> Answer: ...
        def rollback(self, call: StepCall) -> Answer: ...

    kind = LoadedKind("bare", Bare(), "wf-bare", "1")
    kind.decode({})
    with pytest.raises(ParametersInvalid, match="this kind takes none"):
        kind.decode({"a": 1})


@attrs.frozen
class Unusable:
    value: "NoSuchType"  # type: ignore[name-defined]  # noqa: F821


def test_a_parameter_class_that_can_not_be_used_names_its_distribution() -> None:
    (fault,) = said(Unusable, {"value": 1})
    assert "the parameter class Unusable of wf-kind 1.0 can't be used: NameError" in fault
    assert "its author must mend it" in fault


def test_numbers_that_references_brought_are_accepted_as_text() -> None:
    assert decoded(text=8080).text == "8080"
    assert decoded(text=True).text == "true"
    assert decoded(texts=[1, 2.5]).texts == ["1", "2.5"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_as_text_is_the_same_number(number: float) -> None:
    assert decoded(number=str(number)) == decoded(number=number)


@given(
    st.dictionaries(
        st.sampled_from([each.name for each in attrs.fields(All)] + ["other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_any_json_is_decoded_or_has_faults(parameters: dict[str, Any]) -> None:
    decoded: object = None
    faults: tuple[Fault, ...] = ()
    try:
        decoded = loaded(All).decode(parameters)
    except ParametersInvalid as error:
        faults = error.faults
    assert isinstance(decoded, All) != bool(faults)
    assert all(each.path.startswith("$") and each.message for each in faults)
