"""The cluster that tests speak to: one of our own, or one that is there already."""

import base64
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import attrs
from tests.cluster import kubeconfig
from tests.cluster.control_plane import ControlPlane
from tests.cluster.credentials import ADMIN
from tests.cluster.kubectl import Kubectl

EXISTING = "WF_TEST_KUBECONFIG"


class NotUsableError(Exception):
    """The kubeconfig of an existing cluster lacks something that the tests need."""


@attrs.frozen
class Cluster:
    """Where a cluster is, and who its users are.

    `kubeconfigs` has one for each user; an existing cluster has the administrator alone.
    """

    url: str
    ca: Path
    tokens: Mapping[str, str]
    kubeconfigs: Mapping[str, Path]

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfigs[ADMIN]

    @property
    def token(self) -> str:
        """The administrator's token."""
        return self.tokens[ADMIN]


def existing() -> Path | None:
    """The kubeconfig that WF_TEST_KUBECONFIG names."""
    named = os.environ.get(EXISTING)
    return Path(named) if named else None


def kubectl_on_path() -> Path | None:
    """The kubectl of who has a cluster already."""
    found = shutil.which("kubectl")
    return Path(found) if found else None


def own(plane: ControlPlane) -> Cluster:
    """A control plane of ours."""
    return Cluster(
        url=plane.url,
        ca=plane.ca,
        tokens=plane.tokens,
        kubeconfigs={user: plane.kubeconfig(user) for user in plane.tokens},
    )


def proxied(plane: ControlPlane, port: int) -> Cluster:
    """A control plane of ours, as its administrator sees it through a proxy on this machine."""
    cluster = own(plane)
    url = f"http://127.0.0.1:{port}"
    file = kubeconfig.write(
        plane.folder / f"proxied-{port}.kubeconfig",
        url=url,
        ca=plane.ca,
        user=ADMIN,
        token=cluster.token,
    )
    return attrs.evolve(cluster, url=url, kubeconfigs={ADMIN: file})


def attached(file: Path, kubectl: Path, folder: Path) -> Cluster:
    """The cluster that the current context of a kubeconfig means.

    Raises NotUsableError where it names no token or no certificate authority.
    """
    view = Kubectl(kubectl, file, folder).json("config", "view", "--raw", "--minify", "--flatten")
    where, who = kubeconfig.only(view, "cluster"), kubeconfig.only(view, "user")
    if "token" not in who or "certificate-authority-data" not in where:
        raise NotUsableError(
            f"{EXISTING}={file}: its current context needs a token (`kubectl create token` makes"
            " one) and a certificate authority"
        )
    ca = folder / "ca.crt"
    ca.write_bytes(base64.b64decode(where["certificate-authority-data"]))
    return Cluster(
        url=where["server"], ca=ca, tokens={ADMIN: who["token"]}, kubeconfigs={ADMIN: file}
    )
