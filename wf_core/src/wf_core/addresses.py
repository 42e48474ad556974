"""Which addresses may be called: the author of a workflow must not reach all that the engine can.

Everything that is not public is refused unless the operator allows it: the machine itself, private
networks, link-local addresses with the metadata services of clouds, and multicast. What is judged
are the addresses that a host was looked up to have, and a caller connects to one of those that
`judged` gives and to nothing else: a name that has another address at its next look-up gains
nothing, and neither does a spelling such as 2130706433.
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

from wf_core.hosts import host_allowed

Address = IPv4Address | IPv6Address

_NAT64 = ip_network("64:ff9b::/96")
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        *("168.63.129.16", "192.0.0.0/24", "192.88.99.0/24"),
        *("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48"),
        *("3fff::/20", "5f00::/16", "fec0::/10"),
    )
)
"""What not every version of Python knows to be no public address, and what looks like one: services
of clouds for their own machines, forms in which translators take an IPv4 address, documentation,
and segment routing."""


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


class AddressRefused(Exception):  # noqa: N818  (a decision, not an error of ours)
    """None of a host's addresses may be called; str() says so."""


def judged(host: str, found: Sequence[str], allowed: Allowed) -> list[str]:
    """Those of the addresses `found` for `host` that may be called. Raises AddressRefused."""
    permitted = [each for each in found if allowed.permits(host, each)]
    if permitted:
        return permitted
    what = host if host in found else f"{host} ({', '.join(found)})"
    raise AddressRefused(f"{what} is not a public address, so calling it is not allowed")


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
