"""helm, as tests use it, and the chart of this project."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml
from tests.k8s.crd_objects import Json
from tests.patience import PATIENCE

from wf_k8s import rbac
from wf_k8s.crd import definition, schedule_definition, task_definition

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm"
CASES = Path(__file__).parent / "chart"
FACTS = (
    *("--kube-version", "1.37.2"),
    *("--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"),
)
"""What `helm template` takes the cluster for: the same wherever it runs."""


class HelmError(Exception):
    """helm ended with an error; the message is what it said."""


@attrs.frozen
class Helm:
    """Runs helm; what it keeps stays in `folder`. Without a kubeconfig no cluster is asked."""

    program: Path
    folder: Path
    kubeconfig: Path | None = None

    def __call__(self, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
        """What `helm ARGUMENTS` writes; HelmError where it fails."""
        done = self.run(*arguments, values=values)
        if done.returncode:
            raise HelmError(f"helm {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def run(
        self, *arguments: str, values: Mapping[str, Any] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """How it ended. `values` go over those of the chart."""
        given = ["--values", "-"] if values is not None else []
        return subprocess.run(
            [str(self.program), *arguments, *given],
            env={
                **os.environ,
                "KUBECONFIG": str(self.kubeconfig or self.folder / "none"),
                "HELM_CACHE_HOME": str(self.folder / "cache"),
                "HELM_CONFIG_HOME": str(self.folder / "config"),
                "HELM_DATA_HOME": str(self.folder / "data"),
            },
            input=yaml.safe_dump(values) if values is not None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def template(self, *options: str, values: Mapping[str, Any] | None = None) -> str:
        """The chart as the release `wf` in the namespace `workflow-system`."""
        return self(
            *("template", "wf", str(CHART), "--namespace", "workflow-system"),
            *FACTS,
            *options,
            values=values or {},
        )

    def documents(self, *options: str, values: Mapping[str, Any] | None = None) -> list[Json]:
        """The same, decoded."""
        text = self.template(*options, values=values)
        return [each for each in yaml.safe_load_all(text) if each]


def from_the_code() -> dict[str, Json]:
    """The files of the chart that are copies, by name."""
    return {
        "crd.yaml": definition(),
        "crd-schedules.yaml": schedule_definition(),
        "crd-tasks.yaml": task_definition(),
        "rules.yaml": {
            "workflows": [rule.document() for rule in rbac.WORKFLOWS],
            "cleanUp": [rule.document() for rule in rbac.CLEAN_UP],
            "schedules": [rule.document() for rule in rbac.SCHEDULES],
            "tasks": [rule.document() for rule in rbac.TASKS],
            "pods": [rule.document() for rule in (*rbac.PODS, *rbac.POD_LOGS)],
        },
    }


def only(documents: list[Json], kind: str, name: str | None = None) -> Json:
    """The one document of that kind, and of that name."""
    (found,) = [
        each
        for each in documents
        if each["kind"] == kind and name in (None, each["metadata"]["name"])
    ]
    return found


def kinds(documents: list[Json]) -> set[str]:
    """Which kinds there are."""
    return {each["kind"] for each in documents}


def without_definition(rendered: str) -> str:
    """What is rendered but for the CRD, which has a test of its own and is long."""
    parts = rendered.split("---\n")
    return "---\n".join(each for each in parts if "# Source: wf/templates/crd.yaml" not in each)
