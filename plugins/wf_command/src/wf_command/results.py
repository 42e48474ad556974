"""What a command left in $WF_ATTRIBUTES and $WF_RESOURCE."""

import os
import stat
from pathlib import Path

import attrs

from wf_command.problems import BadResult
from wf_command.surroundings import Files
from wf_core import bounded_json
from wf_core.model.spec import Parameters
from wf_core.model.state import Resource

MAX_RESULT = 1024 * 1024
"""Bytes that one of the files may hold."""

_TEXTS = ("status", "id", "name", "address")


@attrs.frozen
class Results:
    """What the command says it made; None where it said nothing.

    `problem` says which of the two files can't be used; the other one counts all the same.
    """

    resource: Resource | None = None
    attributes: Parameters | None = None
    problem: BadResult | None = None

    @property
    def any(self) -> bool:
        """Whether there is something to save."""
        return self.resource is not None or self.attributes is not None


def read(files: Files) -> Results:
    """Read both files."""
    results = Results()
    try:
        results = attrs.evolve(results, resource=_resource(files.resource))
    except BadResult as problem:
        results = attrs.evolve(results, problem=problem)
    try:
        return attrs.evolve(results, attributes=_object("$WF_ATTRIBUTES", files.attributes))
    except BadResult as problem:
        return attrs.evolve(results, problem=problem)


def _resource(path: Path) -> Resource | None:
    found = _object("$WF_RESOURCE", path)
    if found is None:
        return None
    for key, value in found.items():
        if key == "attributes":
            if not isinstance(value, dict):
                raise BadResult("$WF_RESOURCE: attributes must be an object")
        elif key not in _TEXTS:
            raise BadResult(
                f"$WF_RESOURCE: unknown key {key!r}; known are {', '.join(_TEXTS)}, attributes"
            )
        elif not isinstance(value, str):
            raise BadResult(f"$WF_RESOURCE: {key} must be a text")
    return Resource(**found)


def _object(name: str, path: Path) -> Parameters | None:
    text = _read_bounded(name, path)
    if text is None or not text.strip():
        return None
    try:
        value = bounded_json.decode(text)
    except bounded_json.BadJsonError as error:
        raise BadResult(f"{name}: {error}") from error
    if not isinstance(value, dict):
        raise BadResult(f"{name}: must hold a JSON object, such as {{}}")
    return value


def _read_bounded(name: str, path: Path) -> bytes | None:
    """The file's bytes, or None where there is none. A pipe in its place must not hold us up."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadResult(f"{name}: can't be read: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadResult(f"{name}: must be a plain file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_RESULT + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_RESULT:
        raise BadResult(f"{name}: is larger than {MAX_RESULT} bytes; write less")
    return data
