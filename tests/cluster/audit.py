"""What the API server was asked, by its own account: the audit log."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    # A watch is told of when it begins, everything else when it is over.
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


@attrs.frozen
class Asked:
    """One request. `agent` is the client's own word for itself; `code` is the HTTP status."""

    agent: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int


def flags(folder: Path) -> list[str]:
    """What makes kube-apiserver write `log(folder)`: each request before its answer is over."""
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(POLICY))
    return [
        f"--audit-policy-file={policy}",
        f"--audit-log-path={log(folder)}",
        "--audit-log-mode=blocking",
        "--audit-log-maxsize=2000",
    ]


def log(folder: Path) -> Path:
    """Where the log of a control plane is that lives in `folder`."""
    return folder / "audit.log"


def read(file: Path, agent: str) -> list[Asked]:
    """What this client asked, each request once, in the order in which they were over."""
    found: dict[str, Asked] = {}
    *whole, _ = file.read_text().split("\n")  # what is not ended is just being written
    for event in _events(whole):
        if event.get("userAgent") == agent:
            found.setdefault(event["auditID"], _asked(event))
    return list(found.values())


def _events(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        event: dict[str, Any] = json.loads(line)
        yield event


def _asked(event: dict[str, Any]) -> Asked:
    about = event.get("objectRef", {})
    return Asked(
        agent=event["userAgent"],
        verb=event["verb"],
        resource=about.get("resource", ""),
        subresource=about.get("subresource", ""),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
    )
