"""The kind `pod` keeps the promises of a kind, on a real API server; the test is the kubelet, and
what a container would do is written into a list."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.connection import Cluster
from tests.podstep.kubelet import Kubelet
from tests.podstep.pod_bench import PARAMETERS

from wf_core.model.spec import Json
from wf_core.testing.conformance import Conformance, World
from wf_podstep.kind import PodStep

pytestmark = pytest.mark.slow

LABEL = "workflow.example.com/"


class Pods(World):
    """The namespace of one test."""

    kind = PodStep
    crash_points = 3

    def __init__(self, folder: Path, kubelet: Kubelet, environment: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.namespace = kubelet.namespace
        self.store = f"k8s:/{kubelet.namespace}"
        self._kubelet = kubelet
        self._environment = environment
        self._charged: set[str] = set()

    def parameters(self) -> Mapping[str, Json]:
        return PARAMETERS

    def bad_parameters(self) -> Iterable[Mapping[str, Json]]:
        return [
            {**PARAMETERS, "image": ""},
            {**PARAMETERS, "resources": {"limits": {"cpu": "lots"}}},
        ]

    def effects(self) -> Collection[object]:
        return [*self._charged, *(pod["metadata"]["name"] for pod in self._runs() if not over(pod))]

    def finish(self) -> None:
        for pod in self._kubelet.pods():
            if "deletionTimestamp" in pod["metadata"]:
                self._kubelet.let_go(pod)
            elif not over(pod) and not is_tombstone(pod):
                self._kubelet.run(pod)
                self._carry_out(pod)
                self._kubelet.end(pod)

    @contextmanager
    def away(self) -> Iterator[None]:
        view = {
            "clusters": [{"name": "away", "cluster": {"server": "http://127.0.0.1:1"}}],
            "contexts": [{"name": "away", "context": {"cluster": "away", "user": "nobody"}}],
            "users": [{"name": "nobody", "user": {}}],
            "current-context": "away",
        }
        file = self.folder / "away.kubeconfig"
        file.write_text(yaml.safe_dump(view))
        with self._environment.context() as within:
            within.setenv("KUBECONFIG", str(file))
            yield

    def _runs(self) -> list[dict[str, Any]]:
        return [pod for pod in self._kubelet.pods(hook="run") if not is_tombstone(pod)]

    def _carry_out(self, pod: dict[str, Any]) -> None:
        """What the image does: charge somebody under the run's key, or pay that back."""
        variables = pod["spec"]["containers"][0]["env"]
        key = next(each["value"] for each in variables if each["name"] == "WF_RUN_KEY")
        if pod["metadata"]["labels"][f"{LABEL}hook"] == "run":
            self._charged.add(key)
        else:
            self._charged.discard(key)


def over(pod: dict[str, Any]) -> bool:
    return pod["status"]["phase"] in ("Succeeded", "Failed")


def is_tombstone(pod: dict[str, Any]) -> bool:
    return f"{LABEL}tombstone" in pod["metadata"]["labels"]


class TestPod(Conformance):
    @pytest.fixture
    def world(
        self, tmp_path: Path, cluster: Cluster, kubelet: Kubelet, monkeypatch: pytest.MonkeyPatch
    ) -> World:
        monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
        return Pods(tmp_path, kubelet, monkeypatch)
