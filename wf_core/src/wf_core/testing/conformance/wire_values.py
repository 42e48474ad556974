"""Values that a JSON Schema of parameters allows, as a hypothesis strategy.

Only the words that `LoadedKind.schema` writes are known.
"""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Wire = Any  # a value of a document

_TEXT = st.text(max_size=8)
_SCALARS: Mapping[str, st.SearchStrategy[Wire]] = {
    "string": _TEXT,
    "integer": st.integers(-(2**40), 2**40),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "null": st.none(),
}
_ANY: st.SearchStrategy[Wire] = st.recursive(
    st.one_of(*_SCALARS.values()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(_TEXT, inner, max_size=2)),
    max_leaves=4,
)


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Wire]:
    """Values of a schema."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([values(each) for each in schema["anyOf"]])
    match schema.get("type"):
        case "object":
            return _object(schema)
        case "array":
            return _array(schema)
        case str(name):
            return _SCALARS[name]
        case [first, *_]:  # "or text": a number that is written as one
            return st.one_of(_SCALARS[first], _SCALARS[first].map(_as_text))
    return _ANY


def _as_text(value: Wire) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _object(schema: Mapping[str, Any]) -> st.SearchStrategy[Wire]:
    if "properties" not in schema:
        more = schema.get("additionalProperties", True)
        return st.dictionaries(_TEXT, values(more) if isinstance(more, dict) else _ANY, max_size=3)
    required = schema.get("required", ())
    made = {name: values(each) for name, each in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: each for name, each in made.items() if name in required},
        optional={name: each for name, each in made.items() if name not in required},
    )


def _array(schema: Mapping[str, Any]) -> st.SearchStrategy[Wire]:
    if "prefixItems" in schema:
        return st.tuples(*map(values, schema["prefixItems"])).map(list)
    return st.lists(values(schema["items"]), max_size=3)
