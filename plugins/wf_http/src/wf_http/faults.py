"""Faults of parameters that types can't express, each as `key: sentence`."""

import math
from collections.abc import Iterator, Mapping

from wf_core.nearest import hint
from wf_http.ceiling import VARIABLE, ceiling
from wf_http.parameters import (
    CheckRequest,
    Condition,
    HttpParameters,
    Request,
    SecretSource,
    SecretText,
    Statuses,
    Text,
)
from wf_http.pointers import is_pointer
from wf_http.secrets import FOLDER, PREFIX, is_inside, is_object, is_variable
from wf_http.statuses import numbers
from wf_http.template import KEY, RESOURCE, names, whole_names
from wf_http.words import OURS, is_header

MISSING_ROLLBACK = (
    "rollback: give the request that undoes `run`, or say `rollback: None` on the step"
)
_SCHEMES = ("http://", "https://")


def faults(parameters: HttpParameters, *, undoable: bool) -> Iterator[str]:
    """All of them."""
    if undoable and parameters.rollback is None:
        yield MISSING_ROLLBACK
    if not parameters.run.url:
        yield "run.url: is missing; give the URL that the request goes to"
    for name, source in parameters.secrets.items():
        yield from _source(f"secrets.{name}", source)
    known = _Known(parameters)
    yield from known.texts("headers", parameters.headers, headers=True)
    if parameters.basic_auth is not None:
        yield from known.secret("basicAuth.secret", parameters.basic_auth.secret)
    yield from known.request("run", parameters.run, before=True)
    for name, request in (
        ("rollback", parameters.rollback),
        ("check", parameters.check),
        ("rollbackCheck", parameters.rollback_check),
    ):
        if request is not None:
            yield from known.request(name, request, before=False)
    yield from _rest(parameters)


def _rest(parameters: HttpParameters) -> Iterator[str]:
    tls = parameters.tls
    for name, file in (
        ("caFile", tls.ca_file),
        ("clientCertFile", tls.client_cert_file),
        ("clientKeyFile", tls.client_key_file),
    ):
        if file and not is_inside(file):
            yield f"tls.{name}: {_outside(file)}"
    if tls.client_key_file and not tls.client_cert_file:
        yield "tls.clientKeyFile: stands alone; give clientCertFile, too"
    header = parameters.idempotency.header
    if header and not is_header(header):
        yield f"idempotency.header: {header!r} can't be the name of a header"
    for name, pointer in parameters.attributes.items():
        if name == KEY:
            yield f"attributes.{KEY}: is taken; {{{KEY}}} is the step's idempotency key"
        yield from _pointer(f"attributes.{name}", pointer)
    for name in ("id", "name", "status", "address"):
        yield from _pointer(f"resource.{name}", getattr(parameters.resource, name))
    if parameters.max_response_bytes < 1:
        yield f"maxResponseBytes: give bytes, 1 or more, not {parameters.max_response_bytes}"
    yield from _ceiling(parameters.max_response_bytes)


def _ceiling(asked: int) -> Iterator[str]:
    try:
        most = ceiling()
    except ValueError as error:
        yield f"maxResponseBytes: {error}"
        return
    if asked > most:
        yield (
            f"maxResponseBytes: {asked} is more than the {most} bytes that this engine reads; give "
            f"less, or ask whoever runs it to raise {VARIABLE}"
        )


def _source(where: str, source: SecretSource) -> Iterator[str]:
    given = [each for each in (source.env, source.file, source.kubernetes_secret) if each]
    if len(given) != 1:
        yield f"{where}: give one of env, file, kubernetesSecret"
    if source.env and not is_variable(source.env):
        yield f"{where}.env: {source.env!r} can't follow {PREFIX} in the name of a variable"
    if source.kubernetes_secret is not None and not is_object(source.kubernetes_secret.name):
        yield (
            f"{where}.kubernetesSecret.name: {source.kubernetes_secret.name!r} can't be the name "
            "of a Secret; write lower-case letters, digits, '-' and '.'"
        )
    if source.file and not is_inside(source.file):
        yield f"{where}.file: {_outside(source.file)}"


def _outside(file: str) -> str:
    return (
        f"{file!r} is no name below a folder; files are found below the folder that whoever runs "
        f"the engine names by {FOLDER}"
    )


def _pointer(where: str, pointer: str | None) -> Iterator[str]:
    if pointer is not None and not is_pointer(pointer):
        yield f"{where}: {pointer!r} is no JSON pointer; write such as /order/id"


def _statuses(where: str, items: Statuses) -> Iterator[str]:
    for item in items:
        if not numbers(item):
            yield f"{where}: {item!r} is no status; write 404, 4xx or 500-504"


def _condition(where: str, condition: Condition | None) -> Iterator[str]:
    if condition is None:
        return
    if not condition.status and condition.pointer is None:
        yield f"{where}: says nothing; give status, pointer, or both"
    if condition.values and condition.pointer is None:
        yield f"{where}.values: stand alone; give the pointer to where they may stand"
    yield from _statuses(f"{where}.status", condition.status)
    yield from _pointer(f"{where}.pointer", condition.pointer)


def _url(where: str, url: str) -> Iterator[str]:
    if not url or url.startswith("${"):
        return
    if not url.lower().startswith(_SCHEMES):
        yield f"{where}.url: must begin with http:// or https://"
        return
    head = url[: len(url) - len(_rest_of(url))]
    if next(names(head), None) is not None:
        yield f"{where}.url: a {{name}} can stand in path and query only: no answer names a host"
    if "@" in head:
        yield f"{where}.url: holds a user or password; give basicAuth, or a header"


class _Known:
    """What requests may name."""

    def __init__(self, parameters: HttpParameters) -> None:
        self._secrets = parameters.secrets
        self._own = {*parameters.attributes, *RESOURCE, KEY}

    def request(self, where: str, request: Request, *, before: bool) -> Iterator[str]:
        """Faults of one request; `before`: it is sent before the step has made anything."""
        yield from _url(where, request.url)
        for name, texts in (("query", request.query), ("form", request.form or {})):
            yield from self.texts(f"{where}.{name}", texts, headers=False)
        yield from self.texts(f"{where}.headers", request.headers, headers=True)
        bodies = [request.json, request.form, request.body]
        if sum(each is not None for each in bodies) > 1:
            yield f"{where}: has several bodies; give one of json, form, body"
        told = [
            *(each for each in names(_rest_of(request.url))),
            *whole_names([request.json, dict(request.form or {})]),
            *whole_names([dict(request.query), dict(request.headers)]),
        ]
        for name in dict.fromkeys(told):
            yield from self._name(where, name, before=before)
        for name, items in (
            ("success", request.success),
            ("retryable", request.retryable),
            ("fatal", request.fatal),
        ):
            yield from _statuses(f"{where}.{name}", items)
        if not (request.timeout_seconds > 0 and math.isfinite(request.timeout_seconds)):
            yield (
                f"{where}.timeoutSeconds: give seconds, more than 0, not "
                f"{request.timeout_seconds:g}"
            )
        if isinstance(request, CheckRequest):
            yield from _condition(f"{where}.done", request.done)
            yield from _condition(f"{where}.failed", request.failed)
            if request.period_seconds is not None and request.period_seconds < 0:
                yield f"{where}.periodSeconds: give seconds, 0 or more"

    def texts(self, where: str, texts: Mapping[str, Text], *, headers: bool) -> Iterator[str]:
        """Faults of a map of texts."""
        for name, text in texts.items():
            if headers and not is_header(name):
                yield f"{where}: {name!r} can't be the name of a header"
            elif headers and name.lower() in OURS:
                yield f"{where}: {name} follows from the request, and can't be given"
            if isinstance(text, SecretText):
                yield from self.secret(f"{where}.{name}.secret", text.secret)

    def secret(self, where: str, name: str) -> Iterator[str]:
        """Faults of a secret's name."""
        if name not in self._secrets:
            near = hint(name, sorted(self._secrets))
            yield f"{where}: there is no {name!r} under secrets{'; ' + near if near else ''}"

    def _name(self, where: str, name: str, *, before: bool) -> Iterator[str]:
        if before and name != KEY:
            yield (
                f"{where}: {{{name}}} is not known before the run; {{{KEY}}} is its idempotency "
                f"key (a literal {{{name}}} is written {{{{{name}}}}}, outside of URLs)"
            )
        elif name not in self._own:
            near = hint(name, sorted(self._own))
            yield (
                f"{where}: the step has no {{{name}}}{'; ' + near if near else ''}; name it under "
                "attributes"
            )


def _rest_of(url: str) -> str:
    """Path and query."""
    _, _, rest = url.partition("://")
    cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    return rest[cut:]
