"""Which addresses may be called: whoever writes a workflow must not reach all that the engine can.

Everything that is not public is refused unless the operator allows it: the machine itself, private
networks, link-local addresses with the metadata services of clouds, and multicast.
"""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import attrs

from wf_core.callbacks.hosts import host_allowed

VARIABLE = "WF_HTTP_ALLOW"
"""The operator's variable: hosts, `*.example.com`, addresses and networks, with commas between."""

Address = IPv4Address | IPv6Address

_NAT64 = ip_network("64:ff9b::/96")
_SPECIAL = tuple(
    ip_network(text)
    for text in ("168.63.129.16", "192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "64:ff9b:1::/48")
)
"""What not every version of Python knows to be no public address, and what looks like one: services
of clouds for their own machines."""


@attrs.frozen
class Allowed:
    """What the operator allows beside public addresses."""

    hosts: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Allowed":
        """From the operator's list. What is no address or network is the name of a host."""
        hosts, networks = [], []
        for item in (each.strip() for each in text.split(",")):
            try:
                networks.append(ip_network(item.strip("[]"), strict=False))
            except ValueError:
                if item:
                    hosts.append(item)
        return cls(tuple(hosts), tuple(networks))

    def permits(self, host: str, address: str) -> bool:
        """Whether `host`, which has this `address`, may be called there."""
        if host_allowed(host, self.hosts):
            return True
        return all(
            _is_public(each) or any(each in network for network in self.networks)
            for each in _meant(ip_address(address.partition("%")[0]))
        )


def refusal(host: str, addresses: Sequence[str]) -> str:
    """Why none of a host's addresses may be called, and what to do."""
    numeric = host in addresses
    what = host if numeric else f"{host} ({', '.join(addresses)})"
    return (
        f"{what} is no public address, and may not be called; "
        f"whoever runs the engine can allow it: {VARIABLE}={host}"
    )


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _SPECIAL)
    )


def _meant(address: Address) -> tuple[Address, ...]:
    """The IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)
