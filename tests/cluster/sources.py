"""Which programs a cluster is made of, in which versions, and from which Go modules."""

from collections.abc import Mapping

import attrs


@attrs.frozen
class Source:
    """A Go module that programs are built from.

    `packages` names each program's package. `staging` is the version of those modules that the
    module itself replaces by folders of its own tree; another module has to name them.
    """

    name: str
    version: str
    module: str
    packages: Mapping[str, str]
    minutes: float
    """How long the build of one program takes on two quiet cores, at most."""
    staging: str | None = None
    stamped: Mapping[str, str] = attrs.field(factory=dict)
    """Go variables that the linker sets."""

    @property
    def folder(self) -> str:
        """The name of its folder in the cache: another version is another folder."""
        return f"{self.name}-{self.version}"


ETCD = Source(
    name="etcd",
    version="3.6.15",
    module="go.etcd.io/etcd/server/v3",
    packages={"etcd": "go.etcd.io/etcd/server/v3"},
    minutes=0.5,
)
KUBERNETES = Source(
    name="kubernetes",
    version="1.37.2",
    module="k8s.io/kubernetes",
    packages={
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
        "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    },
    minutes=5,
    staging="v0.37.2",
    stamped={
        "k8s.io/component-base/version.gitVersion": "v1.37.2",
        "k8s.io/component-base/version.gitMajor": "1",
        "k8s.io/component-base/version.gitMinor": "37",
    },
)
CONTAINERD = Source(
    name="containerd",
    version="2.3.7",
    module="github.com/containerd/containerd/v2",
    packages={
        name: f"github.com/containerd/containerd/v2/cmd/{name}"
        for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    },
    minutes=2,
    stamped={"github.com/containerd/containerd/v2/version.Version": "2.3.7"},
)
CNI_PLUGINS = Source(
    name="cni-plugins",
    version="1.9.1",
    module="github.com/containernetworking/plugins",
    packages={
        "bridge": "github.com/containernetworking/plugins/plugins/main/bridge",
        "host-local": "github.com/containernetworking/plugins/plugins/ipam/host-local",
        "loopback": "github.com/containernetworking/plugins/plugins/main/loopback",
    },
    minutes=0.5,
)
HELM = Source(
    name="helm",
    version="4.3.1",
    module="helm.sh/helm/v4",
    packages={"helm": "helm.sh/helm/v4/cmd/helm"},
    minutes=1,
    stamped={"helm.sh/helm/v4/internal/version.version": "v4.3.1"},
)
SOURCES = (ETCD, KUBERNETES, CONTAINERD, CNI_PLUGINS, HELM)


def source_of(program: str) -> Source:
    """The source of a program; ValueError for a program that no source brings."""
    for source in SOURCES:
        if program in source.packages:
            return source
    known = sorted(name for source in SOURCES for name in source.packages)
    raise ValueError(f"no source brings {program!r}; known are {', '.join(known)}")
