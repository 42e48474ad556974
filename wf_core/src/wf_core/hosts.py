"""Which addresses may be called: whoever writes a workflow must not reach everything we can."""

from collections.abc import Sequence


def host_allowed(host: str, allowed: Sequence[str] | None) -> bool:
    """Whether `host` is one of `allowed`: names, addresses, or `*.example.com` for all names below.

    None allows any host, an empty list none. `*.example.com` does not allow `example.com` itself.
    """
    if allowed is None:
        return True
    name = _normal(host)
    return any(_matches(name, _normal(pattern)) for pattern in allowed)


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and len(name) > len(pattern) - 1
    return name == pattern


def _normal(host: str) -> str:
    """One spelling a host: lower case, no closing dot, no brackets around an IPv6 address."""
    return host.strip().lower().removesuffix(".").removeprefix("[").removesuffix("]")
