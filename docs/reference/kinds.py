"""The kinds that this project brings."""

import json
from collections.abc import Iterator

from docs.reference.distributions import OURS
from docs.reference.markdown import code, table

from wf_core.plugins import LoadedKind, load

HEAD = """\
# Kinds of step

What a document may say under `parameters`, for each kind that this project brings. `wf kinds`
lists all that are installed, and `wf kinds show NAME` shows any of them like this. A text is
accepted where a number or a boolean is wanted, and any value may hold
[references](concepts.md#a-document).
"""


def page() -> str:
    """Each kind with its parameters."""
    kinds = [k for _, k in sorted(load().kinds.items()) if k.distribution in OURS]
    return "\n".join(
        [
            HEAD,
            *(line for kind in kinds for line in _kind(kind)),
        ]
    )


def _kind(kind: LoadedKind) -> Iterator[str]:
    looks = "It can look at what it made." if kind.has_sync else "It does not look at what it made."
    again = "" if kind.reissue else " An interrupted run is undone, not called again."
    yield from (f"## {kind.name}", "")
    readme = f"../{OURS[kind.distribution]}/README.md"
    yield from (f"{kind.description} {looks}{again} From [{kind.distribution}]({readme}).", "")
    rows = (
        (
            code(field.name),
            field.type.removesuffix(" or nothing"),
            "required" if field.required else code(_short(field.default)),
            field.description,
        )
        for field in kind.fields()
    )
    yield from table(("parameter", "type", "default", "meaning"), rows)


def _short(default: str) -> str:
    return "" if json.loads(default) in (None, "", [], {}) else default
