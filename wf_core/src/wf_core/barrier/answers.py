"""What a hook answered, as it is kept in the table: a duplicate answers the same."""

import msgspec

from wf_core.kinds import Fatal, Success
from wf_core.model.spec import Json
from wf_core.model.state import Resource

MAX_ANSWER = 60_000
"""Bytes. TEXT holds 65,535 in the databases where it is smallest."""


class _Kept(msgspec.Struct, omit_defaults=True):
    resource: Resource | None = None
    attributes: dict[str, Json] | None = None


def encode(answer: Success) -> str:
    """As JSON. Raises Fatal where it is none, or too large to be kept."""
    attributes = None if answer.attributes is None else dict(answer.attributes)
    try:
        data = msgspec.json.encode(_Kept(answer.resource, attributes))
    except (TypeError, ValueError) as error:
        raise Fatal(f"the answer given to the barrier is not JSON: {error}") from error
    if len(data) > MAX_ANSWER:
        raise Fatal(f"the answer is {len(data)} bytes; the barrier keeps {MAX_ANSWER}")
    return data.decode()


def decode(text: str | None) -> Success | None:
    """What was kept, or None where the hook answered nothing."""
    if text is None:
        return None
    kept = msgspec.json.decode(text, type=_Kept)
    return Success(kept.resource, kept.attributes)
