"""The chart on a real node: its controllers run from our image, as it asks for them."""

from pathlib import Path

import pytest
from tests.e2e.releases import Release
from tests.k8s.controller_process import await_phase
from tests.k8s.crd_objects import workflow
from tests.thirdparty import late_plugin

pytestmark = pytest.mark.slow


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
