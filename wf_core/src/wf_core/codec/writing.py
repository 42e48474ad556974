"""A workflow to a document: what `read` gives back as it was, and kubectl reads in the same way."""

import datetime
from typing import Any

import msgspec
import yaml

from wf_core.codec.scalars import MAX_WHOLE, resolve
from wf_core.model.schedule import CronWorkflow
from wf_core.model.spec import API_VERSION, Workflow

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_UNFOLDED = 1_000_000


def to_document(of: Workflow | CronWorkflow) -> dict[str, Any]:
    """The document of a workflow or a schedule; values that are the default are left out."""
    return {"apiVersion": API_VERSION, "kind": type(of).__name__, **plain_struct(of)}


def dump(of: Workflow | CronWorkflow) -> str:
    """The document as YAML."""
    return dump_plain(to_document(of))


def dump_plain(document: dict[str, Any]) -> str:
    """YAML of any plain document, quoted so that kubectl reads every text as text."""
    text = yaml.dump(
        document, Dumper=_KubectlDumper, sort_keys=False, allow_unicode=True, width=_UNFOLDED
    )
    assert isinstance(text, str)
    return text


def rfc3339(at: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, to the microsecond where there is a fraction."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat().replace("+00:00", "Z")


def plain_struct(value: msgspec.Struct) -> dict[str, Any]:
    """A struct under its wire names, without what equals the default."""
    written = {}
    for field in msgspec.structs.fields(value):
        each = getattr(value, field.name)
        if field.required or each != _default(field):
            written[field.encode_name] = _plain(each)
    return written


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return plain_struct(value)
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        return str(value)  # an enum's text
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_WHOLE:
        return int(value)
    return value


class _KubectlDumper(_Dumper):  # type: ignore[misc]
    """Quotes what kubectl would not read as text, and never writes an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    style = None
    if not isinstance(resolve(text), str):
        style = '"'
    elif "\n" in text and _reads_well_as_block(text):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _reads_well_as_block(text: str) -> bool:
    lines = text.split("\n")
    return (
        not text[0].isspace()
        and text.replace("\n", "").isprintable()
        and text.isascii()
        and not any(line.endswith(" ") for line in lines)
    )


_KubectlDumper.add_representer(str, _represent_text)
