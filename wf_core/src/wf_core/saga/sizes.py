"""What fits into a saved state (semantics C7)."""

from collections.abc import Mapping

import msgspec

from wf_core.model.spec import Json
from wf_core.model.state import (
    MAX_ATTRIBUTES,
    MAX_ERROR,
    MAX_SAVED_PARAMETERS,
    MAX_STEP_ATTRIBUTES,
    STEP_PARAMETERS,
    Resource,
    StepState,
)

_KEPT = 1024
_encode = msgspec.json.Encoder().encode


def size(value: Mapping[str, Json] | Resource | None) -> int:
    """Bytes of a value as JSON; nothing costs nothing."""
    return len(_encode(value)) if value else 0


def too_large(
    step: StepState, attributes: Mapping[str, Json] | None, resource: Resource | None, total: int
) -> str | None:
    """Why a result can't be kept, or None. `total` is the bytes of all steps' attributes so far."""
    try:
        ours, of_resource = size(attributes), size(resource)
    except (TypeError, ValueError) as error:
        return f"the result is not JSON: {error}"
    if ours > MAX_STEP_ATTRIBUTES:
        return f"the attributes are {ours} bytes; a step may keep {MAX_STEP_ATTRIBUTES}"
    if of_resource > MAX_STEP_ATTRIBUTES:
        return f"the resource is {of_resource} bytes; a step may keep {MAX_STEP_ATTRIBUTES}"
    if total - size(step.attributes) + ours > MAX_ATTRIBUTES:
        return f"the attributes of all steps together may be {MAX_ATTRIBUTES} bytes"
    return None


def parameters_size(saved: Mapping[str, Json] | None) -> int:
    """Bytes of a step's saved parameters beyond what every step is granted."""
    return max(0, size(saved) - STEP_PARAMETERS)


def parameters_too_large(saved: Mapping[str, Json], total: int) -> str | None:
    """Why a step's parameters can't be saved, or None. `total` is `parameters_size` of all steps so
    far. What the document says itself is not saved again, and not counted."""
    try:
        ours = size(saved)
    except (TypeError, ValueError) as error:
        return f"its parameters are not JSON: {error}"
    if ours > MAX_SAVED_PARAMETERS:
        return (
            f"ParametersTooLarge: its parameters are {ours:,} bytes once references have their "
            f"values, and a step may save {MAX_SAVED_PARAMETERS:,}; pass where the data is instead"
        )
    if total + parameters_size(saved) > MAX_SAVED_PARAMETERS:
        return (
            f"ParametersTooLarge: its parameters are {ours:,} bytes once references have their "
            f"values; beyond {STEP_PARAMETERS:,} each, all steps of a workflow together may save "
            f"{MAX_SAVED_PARAMETERS:,}: pass where the data is instead"
        )
    return None


def fitting(resource: Resource) -> Resource:
    """The resource as it can be kept: without its attributes where it is too large or no JSON, and
    with its texts cut, since an undo with half a name is better than none."""
    try:
        if size(resource) <= MAX_STEP_ATTRIBUTES:
            return resource
    except (TypeError, ValueError):
        pass  # `too_large` says so; what can be kept is kept below
    return Resource(
        status=_cut(resource.status),
        id=_cut(resource.id),
        name=_cut(resource.name),
        address=_cut(resource.address),
    )


def _cut(text: str) -> str:
    return text[:_KEPT].encode(errors="replace").decode()


def short(message: str) -> str:
    """An error as it is saved: at most 1 KiB (semantics C7)."""
    data = message.encode(errors="replace")
    if len(data) <= MAX_ERROR:
        return data.decode()
    return data[: MAX_ERROR - 3].decode(errors="ignore") + "..."
