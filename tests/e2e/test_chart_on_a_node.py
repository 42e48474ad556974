"""The chart on a real node: its controllers run from our image, as it asks for them."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from tests.k8s.chart_helm import CHART, Helm
from tests.k8s.controller_process import await_phase
from tests.k8s.crd_objects import Json, Sagas, workflow
from tests.thirdparty import late_plugin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@attrs.frozen
class Release:
    """The release `wf` in a namespace of the strictest pod security."""

    helm: Helm
    sagas: Sagas
    values: Json

    def install(self, **values: object) -> None:
        """Install or upgrade, and wait until its pods are there."""
        where = ("--namespace", self.sagas.namespace)
        self.helm(
            "upgrade", "--install", "wf", str(CHART), *where, values={**self.values, **values}
        )
        rollout = ("rollout", "status", "deployment/wf", "--timeout=50s")
        self.sagas.kubectl("-n", self.sagas.namespace, *rollout)

    def test(self) -> None:
        """`helm test`; where it fails, with what its pod and the controllers say."""
        where = ("-n", self.sagas.namespace)
        tested = self.helm.run("test", "wf", *where, "--timeout", "90s")
        if tested.returncode:
            every = ("--all-containers", "--prefix", "--ignore-errors")
            told = [
                self.sagas.kubectl.run(*where, *what).stdout
                for what in (
                    ("get", "pods,saga", "-o", "wide"),
                    ("describe", "pod", "wf-test"),
                    ("logs", "wf-test", *every),
                    ("logs", "-l", "app.kubernetes.io/component=controller", *every),
                )
            ]
            raise AssertionError("\n".join([tested.stderr, *told]))


@pytest.fixture
def release(helm: Helm, sagas: Sagas, wf_image: str) -> Iterator[Release]:
    level = "pod-security.kubernetes.io/enforce=restricted"
    sagas.kubectl("label", "namespace", sagas.namespace, level)
    repository, _, tag = wf_image.rpartition(":")
    values = {
        "image": {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"},
        "namespaces": [sagas.namespace],
        "crd": {"create": False},
    }
    yield Release(helm, sagas, values)
    helm("uninstall", "wf", "--namespace", sagas.namespace, "--ignore-not-found", "--wait")


def test_the_release_runs_its_own_test_before_and_after_an_upgrade(release: Release) -> None:
    release.install()
    release.test()
    release.install(debug=True, leaseSeconds=10)
    release.test()


def test_a_plugin_of_the_values_is_installed_and_its_steps_run(
    release: Release, tmp_path: Path
) -> None:
    sagas = release.sagas
    wheel = late_plugin.write(tmp_path)
    sagas.kubectl("-n", sagas.namespace, "create", "configmap", "index", f"--from-file={wheel}")
    release.install(
        replicas=1,
        plugins={
            "pip": {
                "packages": ["wf-late==1.0"],
                "arguments": ["--no-index", "--find-links=/index"],
            }
        },
        volumes=[{"name": "index", "configMap": {"name": "index"}}],
        volumeMounts=[{"name": "index", "mountPath": "/index"}],
    )
    sagas.create(workflow({"name": "a", "stepTemplate": {"type": "late"}}))
    await_phase(sagas, "Success")
