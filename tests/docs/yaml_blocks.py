"""Says what a block of YAML is, and whether it is right."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import yaml
from tests.docs.pages import ROOT

from wf_core.cli.app import run
from wf_core.config import Config, parse, to_document
from wf_core.errors import ConfigInvalid
from wf_core.model.spec import API_VERSION, StepTemplate, WorkflowSpec
from wf_core.plugins import LoadedKind, load

Document = Mapping[str, Any]


def faults(text: str, title: str, folder: Path) -> Iterator[str]:
    """What is wrong with a block; what is said of a workflow is said by `wf validate`."""
    documents = list(yaml.safe_load_all(text))
    if not all(isinstance(each, dict) for each in documents):
        yield "holds something that is no mapping"
    elif title.endswith("values.yaml") or _only(documents, _values()["properties"]):
        for document in documents:
            yield from _chart(document)
    elif _only(documents, to_document(Config())):
        yield from _configuration(text)
    else:
        for document in documents:
            yield from _object(document, folder)


def kubernetes_objects(text: str) -> list[Document]:
    """Those documents of a block that an API server knows, and we do not."""
    documents = list(yaml.safe_load_all(text))
    return [each for each in documents if isinstance(each, dict) and _foreign(each)]


def _only(documents: list[Document], known: Mapping[str, Any]) -> bool:
    return all(document.keys() <= known.keys() for document in documents)


def _foreign(document: Document) -> bool:
    return "apiVersion" in document and document["apiVersion"] != API_VERSION


@cache
def _values() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((ROOT / "helm/values.schema.json").read_text())
    return schema


def _chart(document: Document) -> Iterator[str]:
    validator = jsonschema.Draft202012Validator(_values())
    for error in validator.iter_errors(document):
        yield f"as values of the chart: {error.json_path}: {error.message}"
    yield from _configuration(yaml.safe_dump(document.get("config", {})))


def _configuration(text: str) -> Iterator[str]:
    try:
        parse(text, "the configuration")
    except ConfigInvalid as error:
        yield str(error)


def _object(document: Document, folder: Path) -> Iterator[str]:
    if _foreign(document):
        if not document.get("kind") or not document.get("metadata", {}).get("name"):
            yield "is an object of a cluster without kind or name"
        return
    whole = document if "apiVersion" in document else _completed(document)
    if whole is None:
        if not any(map(_takes(document), load().kinds.values())):
            yield "is no document, no part of one, no configuration and no values of the chart"
        return
    file = folder / "document.yaml"
    file.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    if run(["validate", str(file)]) != 0:
        yield "is refused by `wf validate`"


def _takes(part: Document) -> Callable[[LoadedKind], bool]:
    """Whether these are some of the parameters of a kind, as its schema has them."""

    def judge(kind: LoadedKind) -> bool:
        schema = {**kind.schema(), "required": []}
        return bool(jsonschema.Draft202012Validator(schema).is_valid(part))

    return judge


def _completed(part: Document) -> Document | None:
    """A workflow around a part of one: some keys of its spec, or of one step's template."""
    names = {
        struct: {field.encode_name for field in msgspec.structs.fields(struct)}
        for struct in (WorkflowSpec, StepTemplate)
    }
    step = {"name": "step", "stepTemplate": {"type": "random"}}
    if part.keys() <= names[WorkflowSpec] and "steps" in part:
        spec = dict(part)
    elif part.keys() <= names[StepTemplate]:
        spec = {"steps": [{**step, "stepTemplate": {"type": "random", **part}}]}
    elif part.keys() <= names[WorkflowSpec]:
        spec = {"steps": [step], **part}
    elif part.keys() == {"spec"}:
        return _completed(part["spec"])
    else:
        return None
    head = {"apiVersion": API_VERSION, "kind": "Workflow", "metadata": {"name": "part"}}
    return {**head, "spec": spec}
