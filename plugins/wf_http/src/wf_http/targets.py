"""Where a request goes, read from a URL; and where a redirect or a Location leads."""

from http import HTTPStatus

import attrs
import httpx

from wf_http.exchange import Message
from wf_http.problems import Unusable

_PORTS = {"http": 80, "https": 443}
MOST_HOPS = 5
"""Redirects that are followed."""
_SAME = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
_OLD = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND})
_SAFE = frozenset({"GET", "HEAD"})


@attrs.frozen
class Target:
    """An absolute URL. `host` is as it goes over the wire, an IPv6 address without brackets."""

    url: httpx.URL

    @property
    def host(self) -> str:
        """The name or address to connect to."""
        return self.url.raw_host.decode("ascii")

    @property
    def port(self) -> int:
        """The port, where none is written that of the scheme."""
        return self.url.port or _PORTS[self.url.scheme]

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.url.scheme == "https"

    @property
    def authority(self) -> str:
        """What goes into the header `Host`."""
        return self.url.netloc.decode("ascii")

    @property
    def origin(self) -> str:
        """Scheme, host and port: who it is that answers."""
        return f"{self.url.scheme}://{self.authority}"

    @property
    def path(self) -> str:
        """Path and query, as sent."""
        return self.url.raw_path.decode("ascii")

    @property
    def shown(self) -> str:
        """For people: without the query, which may hold what is nobody's business."""
        return self.origin + self.path.partition("?")[0]


def read(url: str) -> Target:
    """The target of a URL. Raises Unusable with what is wrong."""
    try:
        read_ = httpx.URL(url)
        read_.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError) as error:
        raise Unusable(f"the url can't be read: {error}") from None
    if read_.scheme not in _PORTS or not read_.host:
        raise Unusable("the url must begin with http:// or https:// and a host")
    if read_.userinfo:
        raise Unusable("the url holds a user or password; give `basicAuth`, or a header")
    return Target(read_.copy_with(fragment=None))


def beside(target: Target, location: str) -> Target:
    """Where `location` leads from `target`, within its origin. Raises Unusable."""
    try:
        found = read(str(target.url.join(location)))
    except (httpx.InvalidURL, ValueError):
        raise Unusable("the server's Location can't be read") from None
    if found.origin != target.origin:
        raise Unusable(
            f"the server's Location leads to {found.origin}, and other hosts, schemes and ports "
            "are not followed; give the final URL"
        )
    return found


def redirected(
    message: Message, target: Target, status: int, location: str | None
) -> tuple[Message, Target] | None:
    """The next request after an answer; None where it is no redirect.

    307 and 308 keep method and body; 303 asks for the result by GET, where that is at hand: what
    was asked for is done; 301 and 302 are followed for reading alone, since they leave open what
    becomes of another method. Raises Unusable.
    """
    if location is None or status not in _SAME | _OLD | {HTTPStatus.SEE_OTHER}:
        return None
    try:
        found = beside(target, location)
    except Unusable:
        if status == HTTPStatus.SEE_OTHER and message.method not in _SAFE:
            return None
        raise
    if status in _OLD and message.method not in _SAFE:
        raise Unusable(
            f"the server redirects to {found.shown} by {status}, which leaves open what becomes of "
            f"{message.method}; give that URL"
        )
    if status in _SAME or message.method in _SAFE:
        return attrs.evolve(message, target=found.path), found
    headers = tuple(each for each in message.headers if not _is_of_content(each[0]))
    return Message("GET", found.path, headers), found


def _is_of_content(name: str) -> bool:
    return name.lower() in ("content-type", "content-length", "content-encoding")
