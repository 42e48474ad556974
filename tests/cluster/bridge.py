"""The network of a node's pods: a bridge of this machine, and the way from it to the API server."""

import json
import subprocess
from pathlib import Path

import attrs

MOST = 256
"""How many nodes may be on one machine at a time."""
API_SERVICE = "10.0.0.1"
"""The address of the service `kubernetes`: the first of the API server's range."""


@attrs.frozen
class Bridge:
    """The bridge of node `number`, whose pods are in 10.244.NUMBER.0/24."""

    number: int

    @property
    def name(self) -> str:
        return f"wfbr{self.number}"

    @property
    def gateway(self) -> str:
        """The machine's own address, as pods see it."""
        return f"10.244.{self.number}.1"

    @property
    def subnet(self) -> str:
        return f"10.244.{self.number}.0/24"

    def cni(self, data: Path) -> str:
        """The configuration of the CNI plugins; addresses given away are noted below `data`."""
        return json.dumps(
            {
                "cniVersion": "1.0.0",
                "name": "wf",
                "plugins": [
                    {
                        "type": "bridge",
                        "bridge": self.name,
                        "isGateway": True,
                        "ipam": {
                            "type": "host-local",
                            "dataDir": str(data),
                            "ranges": [[{"subnet": self.subnet}]],
                            "routes": [{"dst": "0.0.0.0/0"}],
                        },
                    }
                ],
            },
            indent=2,
        )

    def rule(self, port: int) -> list[str]:
        """What iptables' table `nat` has, so that pods find an API server that listens at
        127.0.0.1 alone. It stands for kube-proxy, which refuses to forward to loopback."""
        return [
            *("PREROUTING", "-i", self.name, "-d", API_SERVICE, "-p", "tcp", "--dport", "443"),
            *("-j", "DNAT", "--to-destination", f"127.0.0.1:{port}"),
        ]


def take() -> Bridge:
    """Make the first bridge that is nobody's yet; RuntimeError where there is none."""
    said = ""
    for number in range(MOST):
        bridge = Bridge(number)
        # Atomic: of two that try, one is told that the name is taken.
        made = subprocess.run(
            ["ip", "link", "add", bridge.name, "type", "bridge"],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode == 0:
            return bridge
        said = made.stderr.strip()
    raise RuntimeError(f"no bridge can be made for the pods: {said}")


def open_up(bridge: Bridge) -> None:
    """Give a bridge its address; subprocess.CalledProcessError where the machine refuses."""
    run("ip", "address", "add", f"{bridge.gateway}/24", "dev", bridge.name)
    run("ip", "link", "set", bridge.name, "up")
    # What comes from the pods may be led to 127.0.0.1, by a rule alone.
    Path(f"/proc/sys/net/ipv4/conf/{bridge.name}/route_localnet").write_text("1")


def change_rule(how: str, bridge: Bridge, api_port: int) -> list[str]:
    """The command that adds (`-A`) or deletes (`-D`) the way to the API server."""
    return ["iptables", "-w", "-t", "nat", how, *bridge.rule(api_port)]


def run(*command: str) -> None:
    subprocess.run(command, check=True)
