"""The allow-list of hosts."""

import pytest

from wf_core.hosts import host_allowed


@pytest.mark.parametrize(
    ("host", "allowed", "expected"),
    [
        ("anything", None, True),
        ("anything", (), False),
        ("a.test", ("a.test",), True),
        ("A.Test.", ("a.test",), True),
        ("a.test", ("A.TEST.",), True),
        ("b.test", ("a.test",), False),
        ("a.test.evil", ("a.test",), False),
        ("x.a.test", ("a.test",), False),
        ("x.example.com", ("*.example.com",), True),
        ("y.x.example.com", ("*.example.com",), True),
        ("example.com", ("*.example.com",), False),
        (".example.com", ("*.example.com",), False),
        ("evilexample.com", ("*.example.com",), False),
        ("10.0.0.1", ("*.0.0.1",), True),
        ("::1", ("[::1]",), True),
        ("b.test", ("a.test", "b.test"), True),
    ],
)
def test_hosts(host: str, allowed: tuple[str, ...] | None, expected: bool) -> None:
    assert host_allowed(host, allowed) is expected
