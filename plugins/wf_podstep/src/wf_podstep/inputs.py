"""What a pod is told: variables that begin with WF_, and a file with everything."""

import json
import re
from collections.abc import Mapping

import attrs

from wf_core.kinds import Fatal, StepCall
from wf_core.model.spec import Json
from wf_core.model.state import Resource

FOLDER = "/wf"
FILE = "input.json"
MOST = 128 * 1024
"""Bytes of the file: it travels as an annotation, and all of an object's may be 256 KiB."""

MOST_VARIABLE = 1024
MOST_VARIABLES = 16 * 1024
"""Bytes of one attribute's variable, and of all: what is larger is in the file alone."""


@attrs.frozen
class Inputs:
    """`variables` for the container, `document` for the file."""

    variables: Mapping[str, str]
    document: str


def inputs(call: StepCall) -> Inputs:
    """What the pod of a call is told. Raises Fatal where it does not fit."""
    attributes, resources = call.ancestors()
    document = json.dumps(
        {
            "attributes": dict(attributes),
            "resources": {step: _plain(resource) for step, resource in resources.items()},
            "parameters": dict(call.workflow_parameters),
            "previous": {
                "outcome": str(call.previous.outcome),
                "attributes": dict(call.previous.attributes),
            },
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    size = len(document.encode())
    if size > MOST:
        raise Fatal(
            f"what its pod is to be told is {size} bytes, and a pod takes {MOST}: let the steps "
            "before it keep less in their attributes, or pass a reference to where it lies"
        )
    return Inputs({**_attributes(attributes), **_engine(call)}, document)


def _engine(call: StepCall) -> dict[str, str]:
    return {
        "WF_WORKFLOW": call.workflow,
        "WF_NAMESPACE": call.namespace,
        "WF_UID": call.uid,
        "WF_STEP": call.step,
        "WF_HOOK": str(call.hook if call.hook != "sync" else call.purpose.lower()),
        "WF_KEY": call.run_key,
        "WF_RUN_KEY": call.run_key,
        "WF_CALL_KEY": call.key,
        "WF_ATTEMPT": str(call.attempt),
        "WF_ATTEMPT_KEY": call.attempt_key,
        "WF_EPOCH": str(call.epoch),
        "WF_PREVIOUS": str(call.previous.outcome),
        "WF_INPUT": f"{FOLDER}/{FILE}",
        "WF_RESULT": "/dev/termination-log",
        **{name.upper(): value for name, value in call.trace.items()},
    }


def _attributes(attributes: Mapping[str, Json]) -> dict[str, str]:
    """Single values as variables: `volume-id` is WF_ATTR_VOLUME_ID."""
    found: dict[str, str] = {}
    room = MOST_VARIABLES
    for key, value in attributes.items():
        if isinstance(value, dict | list) or value is None:
            continue
        text = json.dumps(value) if isinstance(value, bool) else str(value)
        size = len(key) + len(text.encode())
        if len(text.encode()) <= MOST_VARIABLE and size <= room and "\0" not in text:
            found["WF_ATTR_" + re.sub(r"[^A-Z0-9]", "_", key.upper())] = text
            room -= size
    return found


def _plain(resource: Resource) -> Mapping[str, Json]:
    return {
        "status": resource.status,
        "id": resource.id,
        "name": resource.name,
        "address": resource.address,
        "attributes": resource.attributes,
    }
