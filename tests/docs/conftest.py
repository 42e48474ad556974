"""The pages, and folders in which what they say is tried."""

import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.cluster.control_plane import running
from tests.cluster.fixtures import (
    control_plane_programs,
    helm_program,
    pytest_itemcollected,
)
from tests.cluster.kubectl import Kubectl
from tests.docs.page_cluster import PageCluster
from tests.docs.page_run import Site
from tests.docs.pages import ROOT
from tests.k8s.chart_helm import Helm

__all__ = [
    "control_plane_programs",
    "helm_program",
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
def page_cluster(
    control_plane_programs: Mapping[str, Path],
    helm_program: Path,
    stand_ins: Path,
    tmp_path: Path,
) -> Iterator[PageCluster]:
    """A cluster for the pages alone, whatever cluster there is: they install what they like."""
    with running(control_plane_programs, tmp_path / "plane") as plane:
        file = plane.kubeconfig()
        kubectl = Kubectl(control_plane_programs["kubectl"], file, tmp_path / "kubectl")
        yield PageCluster(kubectl, Helm(helm_program, tmp_path, file), stand_ins, tmp_path)
