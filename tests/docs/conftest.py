"""The pages, and folders in which what they say is tried."""

import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.fixtures import (
    cluster,
    control_plane_programs,
    helm_program,
    kubectl,
    kubectl_program,
    pytest_itemcollected,
)
from tests.cluster.kubectl import Kubectl
from tests.docs.page_run import Site
from tests.docs.pages import ROOT, Page
from tests.k8s.chart_helm import Helm

__all__ = [
    "cluster",
    "control_plane_programs",
    "helm_program",
    "kubectl",
    "kubectl_program",
    "pytest_itemcollected",
]


@pytest.fixture
def stand_ins(tmp_path: Path) -> Path:
    """A folder of programs in the place of those that would reach out of the machine."""
    folder = tmp_path / "stand_ins"
    folder.mkdir()
    for name in ("docker", "pip"):
        file = folder / name
        call = shlex.join([sys.executable, "-m", "tests.docs.stand_in", name])
        file.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {call} "$@"\n')
        file.chmod(0o755)
    return folder


@pytest.fixture
def site(tmp_path: Path, stand_ins: Path) -> Site:
    """Where the commands of one page are typed."""
    return Site(tmp_path / "site", (stand_ins,))


@pytest.fixture
def cluster_site(
    kubectl: Kubectl, cluster: Cluster, helm_program: Path, stand_ins: Path, tmp_path: Path
) -> Callable[[Page], Site]:
    """Where the commands of a page are typed that speak to a cluster: in a namespace of its own."""

    helm = Helm(helm_program, tmp_path, cluster.kubeconfig)

    def made(page: Page) -> Site:
        # What the page before installed would be in this one's way.
        helm("uninstall", "wf", "--namespace", "workflow-system", "--ignore-not-found")
        name = re.sub(r"[\W_]+", "-", page.name.lower()).strip("-")
        kubectl("create", "namespace", name)
        file = tmp_path / f"{name}.kubeconfig"
        shutil.copy(cluster.kubeconfig, file)
        kubectl.speaking_from(file)("config", "set-context", "--current", "--namespace", name)
        programs = (stand_ins, kubectl.program.parent, helm_program.parent)
        return Site(tmp_path / name, programs, {"KUBECONFIG": str(file), "KUBERC": "off"})

    return made
