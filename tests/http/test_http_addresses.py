"""Which addresses a step may call."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from tests.http.http_bench import KIND, running
from tests.http.http_server import answers, serving

from wf_core.addresses import Allowed
from wf_core.kinds import Fatal, Success

PRIVATE = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "::7f00:1",
    "::101:101",
    "::ffff:0:7f00:1",
    "::ffff:0:101:101",
    "3fff::1",
    "3fff:fff::1",
    "5f00::1",
    "64:ff9b:1::1",
    "2001:db8::1",
    "2001:0:7f00:1::",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not Allowed.of("").permits("service.example", address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_what_is_public_is_allowed(address: str) -> None:
    assert Allowed.of("").permits("service.example", address)


@pytest.mark.parametrize(
    ("allowed", "host", "address", "expected"),
    [
        ("10.0.0.0/8", "a.example", "10.1.2.3", True),
        ("10.0.0.0/8", "a.example", "192.168.0.1", False),
        ("10.0.0.0/8", "a.example", "::ffff:10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3", True),
        ("fd00::/8, [::1]", "a.example", "fd12::1", True),
        ("fd00::/8, [::1]", "::1", "::1", True),
        ("stock.shop.svc", "stock.shop.svc", "10.1.2.3", True),
        ("*.shop.svc", "Stock.Shop.svc.", "10.1.2.3", True),
        ("*.shop.svc", "shop.svc", "10.1.2.3", False),
        ("stock.shop.svc", "stock.shop.svc.evil.example", "10.1.2.3", False),
        ("", "a.example", "10.1.2.3", False),
    ],
)
def test_the_operator_allows_hosts_addresses_and_networks(
    allowed: str, host: str, address: str, expected: bool
) -> None:
    assert Allowed.of(allowed).permits(host, address) is expected


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "0"]
)
def test_no_spelling_of_this_machine_is_called(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WF_HTTP_ALLOW")
    with (
        serving(answers(200)) as server,
        pytest.raises(
            Fatal, match=r"is not a public address, so calling it is not allowed; .*WF_HTTP_ALLOW="
        ),
    ):
        KIND.run(running(server.url(host=host)))
    assert server.got == []


def looked_up(*addresses: str) -> Callable[..., Any]:
    """A resolver that gives each address in turn, and the last one for ever."""
    left = list(addresses)

    def resolve(*_: object, **__: object) -> list[Any]:
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    return resolve


def test_what_is_connected_to_is_what_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that has another address at its second look-up gains nothing by it."""
    connected: list[object] = []

    class Recorded(socket.socket):
        def connect_ex(self, address: Any) -> int:
            connected.append(address)
            return super().connect_ex(("127.0.0.1", server.port))

    with serving(answers(200)) as server:
        monkeypatch.delenv("WF_HTTP_ALLOW")
        monkeypatch.setattr("socket.getaddrinfo", looked_up("1.1.1.1", "127.0.0.1"))
        monkeypatch.setattr("wf_http.connection.socket.socket", Recorded)
        KIND.run(running(server.url(host="rebinding.example")))
    assert connected == [("1.1.1.1", server.port)]


def test_a_name_with_a_public_and_a_private_address_is_called_at_the_public_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowed = Allowed.of("")
    both = ["10.0.0.1", "1.1.1.1"]
    assert [each for each in both if allowed.permits("a.example", each)] == ["1.1.1.1"]
    monkeypatch.setattr("socket.getaddrinfo", looked_up("10.0.0.1"))
    with pytest.raises(Fatal, match=r"a\.example \(10\.0\.0\.1\) is not a public address"):
        KIND.run(running("http://a.example/"))


def test_an_ipv6_host_is_called() -> None:
    try:
        with serving(answers(200), host="::1") as server:
            assert isinstance(KIND.run(running(server.url(host="[::1]"))), Success)
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert server.got[0].headers["host"] == f"[::1]:{server.port}"


def test_surroundings_that_name_a_proxy_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(answers(200)) as server:
        assert isinstance(KIND.run(running(server.url())), Success)
