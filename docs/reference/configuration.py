"""Every key of the engine's configuration."""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import attrs
from docs.reference.markdown import code, table

from wf_core.codec import dump_plain
from wf_core.config import Config, scalars, to_document
from wf_core.config.descriptions import DESCRIPTIONS

WORDS = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}

HEAD = """\
# The configuration

One YAML file for `wf run`, `wf serve` and the controller; in the chart it stands under
`config`. It is found by `--config FILE`, else by `$WF_CONFIG`, else at
`~/.config/wf/config.yaml` (or in `$XDG_CONFIG_HOME/wf`); without one the defaults hold. A key
that does not stand here is an error that names the nearest one, and `wf config show` shows what
holds.

A duration is a number of seconds or a text such as `500ms`, `10s`, `1m`, `24h`.
"""


def page() -> str:
    """Each key with its default and its meaning, then the whole as a file."""
    return "\n".join(
        [
            HEAD,
            *_section("The whole", "", Config),
            "## All defaults",
            "",
            "```yaml",
            dump_plain(to_document(Config())).rstrip(),
            "```",
            "",
        ]
    )


def _section(title: str, path: str, cls: type) -> Iterator[str]:
    """One mapping of the file, then those below it."""
    hints = get_type_hints(cls)
    rows, below = [], []
    for field in attrs.fields(cls):
        name = field.metadata["wire"]
        meaning = _meaning(f"{cls.__name__}.{name}")
        inner, suffix = _below(hints[field.name])
        if inner is None:
            rows.append((code(name), _type(field, hints[field.name]), _default(field), meaning))
            continue
        where = f"{path}{name}{suffix}"
        below.append((where, inner))
        rows.append((code(name), "list" if suffix == "[]" else "map", "", f"{meaning} See below."))
    yield from (f"## {title}", "", *table(("key", "type", "default", "meaning"), rows))
    for where, inner in below:
        yield from _section(where, f"{where}.", inner)


def _meaning(where: str) -> str:
    if where not in DESCRIPTIONS:
        raise LookupError(f"{where} has no description: add one in wf_core/config/descriptions.py")
    return DESCRIPTIONS[where]


def _below(of: Any) -> tuple[Any, str]:
    """The class of what stands below a key, if any, and how its path goes on."""
    arguments = get_args(of)
    if get_origin(of) is tuple and attrs.has(arguments[0]):
        return arguments[0], "[]"
    if len(arguments) == 2 and isinstance(arguments[1], type) and attrs.has(arguments[1]):
        return arguments[1], ".NAME"
    return (of, "") if isinstance(of, type) and attrs.has(of) else (None, "")


def _type(field: "attrs.Attribute[Any]", of: Any) -> str:
    if field.metadata.get("read") is scalars.seconds:
        return "duration"
    if isinstance(of, UnionType):
        of = next(each for each in get_args(of) if each is not type(None))
    if get_origin(of) is tuple:
        return f"list of {WORDS[get_args(of)[0]]}s"
    return WORDS.get(of) or ", ".join(code(str(each)) for each in of)


def _default(field: "attrs.Attribute[Any]") -> str:
    value: Any = field.default
    if value is attrs.NOTHING:
        return "required"
    if isinstance(value, Mapping) or value is None:
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(f"{value:g}" if isinstance(value, float) else str(value))
