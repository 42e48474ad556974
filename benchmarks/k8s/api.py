"""The API server, asked as barely as can be: one connection, no pool, no retries."""

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.connection import Cluster

from wf_k8s.client.resources import WORKFLOWS
from wf_k8s.client.session import JSON, JSON_PATCH

STRICT = "?fieldValidation=Strict"


class Api:
    """A client that waits for each answer. Not for two threads at once."""

    def __init__(self, cluster: Cluster) -> None:
        where = urlsplit(cluster.url)
        assert where.hostname is not None
        self._connection = http.client.HTTPSConnection(
            where.hostname,
            where.port,
            context=ssl.create_default_context(cafile=cluster.ca),
            timeout=60,
        )
        self._headers = {
            "Authorization": f"Bearer {cluster.token}",
            "Accept": JSON,
            "User-Agent": "wf-bench",
        }

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = JSON) -> bytes:
        """The answer's body. Raises RuntimeError where it is an error."""
        headers = {**self._headers, "Content-Type": kind} if body is not None else self._headers
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return content

    def create(self, namespace: str, document: Any) -> Any:
        """Create a workflow; as it is then."""
        path = WORKFLOWS.path(namespace) + STRICT
        return json.loads(self.ask("POST", path, json.dumps(document).encode()))

    def patch_status(self, namespace: str, name: str, patch: bytes) -> None:
        """Apply a JSON patch to a workflow's status."""
        self.ask("PATCH", WORKFLOWS.path(namespace, name, "status") + STRICT, patch, JSON_PATCH)

    def get(self, namespace: str, name: str) -> Any:
        """A workflow, as it is now."""
        return json.loads(self.ask("GET", WORKFLOWS.path(namespace, name)))

    def all_in(self, namespace: str, phase: str) -> bool:
        """Whether no workflow of the namespace is in another phase."""
        path = WORKFLOWS.path(namespace) + f"?fieldSelector=status.phase!%3D{phase}&limit=1"
        return not json.loads(self.ask("GET", path))["items"]

    def follow(self, path: str) -> Iterator[bytes]:
        """The lines of an answer that goes on, as they come."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        while line := answer.readline():
            yield line

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
