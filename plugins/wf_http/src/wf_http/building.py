"""From a step's parameters to the bytes of a request."""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import attrs

from wf_http import template
from wf_http.exchange import Message
from wf_http.parameters import HttpParameters, Request, Text
from wf_http.problems import Unusable
from wf_http.secrets import Secrets
from wf_http.targets import Target, read
from wf_http.template import LOCATION, Lookup
from wf_http.words import is_header, is_value

AGENT = "wf-http"
_SAFE = frozenset({"GET", "HEAD"})


@attrs.frozen
class Builder:
    """Makes the requests of one step. `trace`: the W3C headers that go on with each."""

    parameters: HttpParameters
    secrets: Secrets
    trace: Mapping[str, str]

    def build(self, request: Request, key: str, find: Lookup, base: str) -> tuple[Message, Target]:
        """The message and where it goes: `base` where the request has no URL of its own.

        Raises Unusable, NoSecret, and template.Unknown for what the step does not know (yet).
        """
        template.require_room(self._names(request), find)
        target = read(self._url(request, find, base))
        self._require_own_origin(request, target)
        content, kind = self._content(request, find)
        headers = {
            "Host": target.authority,
            "User-Agent": AGENT,
            "Accept": "application/json",
            **self.trace,
        }
        if kind:
            headers["Content-Type"] = kind
        given = {**self.parameters.headers, **request.headers}
        headers = _merged(headers, {name: self._text(text, find) for name, text in given.items()})
        if (auth := self.parameters.basic_auth) is not None:
            headers = _merged(
                headers, {"Authorization": self.secrets.basic(auth.user, auth.secret)}
            )
        headers = _merged(headers, self._idempotency(request, key))
        headers |= {"Accept-Encoding": "gzip", "Connection": "close"}
        if content or request.method not in _SAFE:
            headers["Content-Length"] = str(len(content))
        for name, value in headers.items():
            if not is_header(name) or not is_value(value):
                raise Unusable(f"the header {name} holds a character that no header can")
        sent = tuple((name, value) for name, value in headers.items())
        return Message(request.method, target.path, sent, content), target

    def _names(self, request: Request) -> Iterator[str]:
        """Every `{name}` of a request, as often as it stands there."""
        yield from template.names(request.url)
        given = (request.query, self.parameters.headers, request.headers, request.json)
        for each in (*given, request.form):
            yield from template.whole_names(each)

    def _require_own_origin(self, request: Request, target: Target) -> None:
        """Secrets go only to an origin that the author's own text gives. Raises Unusable."""
        ours = self.parameters
        if not (ours.secrets or ours.tls.client_cert_file):
            return
        others = (ours.run, ours.rollback, ours.check, ours.rollback_check)
        urls = [request.url] if request.url else [each.url for each in others if each is not None]
        written = [read(template.fill_url(url, lambda _: "x")).origin for url in urls if url]
        if target.origin not in written:
            raise Unusable(
                f"it leads to {target.origin}, where no url of the step does: the step's secrets "
                f"are sent to {' and '.join(dict.fromkeys(written))} only; give the final URL"
            )

    def _url(self, request: Request, find: Lookup, base: str) -> str:
        if not request.url:
            if not base:
                raise template.Unknown(LOCATION)
            url = base
        else:
            url = template.fill_url(request.url, find)
        if not request.query:
            return url
        added = urlencode([(name, self._text(text, find)) for name, text in request.query.items()])
        head, mark, fragment = url.partition("#")
        return head + ("&" if "?" in head else "?") + added + mark + fragment

    def _content(self, request: Request, find: Lookup) -> tuple[bytes, str]:
        if request.json is not None:
            document = template.fill(request.json, find)
            text = json.dumps(document, ensure_ascii=False)
            return text.encode(errors="replace"), "application/json"
        if request.form is not None:
            fields = [(name, self._text(text, find)) for name, text in request.form.items()]
            return urlencode(fields).encode(), "application/x-www-form-urlencoded"
        if request.body is not None:
            return request.body.encode(), "text/plain; charset=utf-8"
        return b"", ""

    def _text(self, text: Text, find: Lookup) -> str:
        if not isinstance(text, str):
            return self.secrets.text(text)
        filled = template.fill(text, find)
        return filled if isinstance(filled, str) else json.dumps(filled)

    def _idempotency(self, request: Request, key: str) -> dict[str, str]:
        how = self.parameters.idempotency
        if not how.header or request.method in _SAFE:
            return {}
        return {how.header: f'"{key}"' if how.quoted else key}


def _merged(headers: dict[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Both, the later in place of the earlier whatever case they are written in."""
    lower = {name.lower() for name in more}
    return {**{k: v for k, v in headers.items() if k.lower() not in lower}, **more}
