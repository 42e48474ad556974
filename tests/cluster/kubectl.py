"""kubectl, as tests use it."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from tests.patience import PATIENCE


class KubectlError(Exception):
    """kubectl ended with an error; the message is what it said."""


@attrs.frozen
class Kubectl:
    """Runs kubectl with one kubeconfig. What it caches stays in `folder`."""

    program: Path
    kubeconfig: Path
    folder: Path

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """What `kubectl ARGUMENTS` writes; KubectlError where it fails."""
        done = self.run(*arguments, stdin=stdin)
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def json(self, *arguments: str, stdin: str | None = None) -> Any:
        """The same with `-o json`, decoded."""
        return json.loads(self(*arguments, "-o", "json", stdin=stdin))

    def apply(self, *documents: Mapping[str, Any]) -> str:
        """Apply documents."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        return self("apply", "-f", "-", stdin=json.dumps(listed))

    def run(self, *arguments: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """How `kubectl ARGUMENTS` ended, for what is expected to fail."""
        return subprocess.run(
            [str(self.program), *arguments],
            # Nothing of the person's own: neither their clusters, nor preferences, nor caches.
            env={
                **os.environ,
                "KUBECONFIG": str(self.kubeconfig),
                "KUBECACHEDIR": str(self.folder),
                "KUBERC": "off",
            },
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def speaking_from(self, kubeconfig: Path) -> "Kubectl":
        """The same with another kubeconfig, so as another user."""
        return attrs.evolve(self, kubeconfig=kubeconfig)
