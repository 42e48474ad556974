"""kubeconfig files: written for our own cluster, read for one that is there already."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONTEXT = "wf-test"


def write(
    file: Path, *, url: str, ca: Path, user: str, token: str, namespace: str = "default"
) -> Path:
    """Write a kubeconfig (as JSON, which is YAML) that speaks as one user; returns its path."""
    authority = base64.b64encode(ca.read_bytes()).decode()
    context = {"cluster": CONTEXT, "user": user, "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [
            {"name": CONTEXT, "cluster": {"server": url, "certificate-authority-data": authority}}
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": context}],
    }
    file.write_text(json.dumps(document, indent=2) + "\n")
    file.chmod(0o600)
    return file


def only(document: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The one cluster or user of a kubeconfig that `kubectl config view --minify` has cut."""
    (entry,) = document[f"{kind}s"]
    found: Mapping[str, Any] = entry[kind]
    return found
