"""What kubelet and containerd are told; every value that differs from theirs has its reason."""

import json
from pathlib import Path

PAUSE_IMAGE = "wf.local/pause:1"


def kubelet(endpoint: Path, folder: Path, port: int) -> str:
    """A KubeletConfiguration (as JSON, which is YAML)."""
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{endpoint}",
            "address": "127.0.0.1",
            "port": port,
            "healthzPort": 0,
            # The API server asks for logs without a certificate. Nobody else reaches 127.0.0.1.
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            # Machines for tests still have cgroups of the first version, and swap.
            "failCgroupV1": False,
            "failSwapOn": False,
            "cgroupDriver": "cgroupfs",
            # The machine is not ours alone: nothing of it is set aside, nothing is evicted.
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "evictionHard": {},
            # Images come from no registry: one that was removed could not be fetched again.
            "imageGCHighThresholdPercent": 100,
            "makeIPTablesUtilChains": False,
            "resolvConf": str(folder / "resolv.conf"),
            "volumePluginDir": str(folder / "volume-plugins"),
        },
        indent=2,
    )


def containerd(endpoint: Path, folder: Path, cni_plugins: Path, runc: Path) -> str:
    """containerd's configuration, in TOML."""
    quoted = {
        name: json.dumps(str(path))
        for name, path in {
            "endpoint": endpoint,
            "root": folder / "root",
            "state": folder / "state",
            "cni": folder / "cni",
            "plugins": cni_plugins,
            "runc": runc,
            "certs": folder / "certs.d",
        }.items()
    }
    return f"""\
version = 3
root = {quoted["root"]}
state = {quoted["state"]}
# They write outside of these two.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]

[grpc]
address = {quoted["endpoint"]}

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{PAUSE_IMAGE}"

[plugins.'io.containerd.cri.v1.images'.registry]
config_path = {quoted["certs"]}

[plugins.'io.containerd.cri.v1.runtime']
# Without CAP_SYS_RESOURCE, nobody may ask to be spared more than their starter is.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = [{quoted["plugins"]}]
conf_dir = {quoted["cni"]}

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = {quoted["runc"]}
"""
