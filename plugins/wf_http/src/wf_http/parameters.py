"""What a workflow's author may write under `stepTemplate.parameters` of an `http` step."""

from typing import Any, Literal

import attrs

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def _says(description: str, references: str = "") -> dict[str, str]:
    """What is said of a field, and how references enter it where not as text."""
    entering = {"references": references} if references else {}
    return {"description": description, **entering}


@attrs.frozen(kw_only=True)
class SecretText:
    """A text with a secret in it."""

    secret: str = attrs.field(metadata=_says("Which of `secrets`."))
    prefix: str = attrs.field(metadata=_says("What stands before it."), default="")
    suffix: str = attrs.field(metadata=_says("What stands after it."), default="")


Text = str | SecretText
Statuses = list[int | str]


@attrs.frozen(kw_only=True)
class KubernetesSecret:
    """A key of a Secret in the workflow's namespace."""

    name: str = attrs.field(metadata=_says("The Secret's name."))
    key: str = attrs.field(metadata=_says("One of its keys."))


@attrs.frozen(kw_only=True)
class SecretSource:
    """Where a secret comes from: one of the three."""

    env: str = attrs.field(
        metadata=_says("The engine's variable WF_HTTP_SECRET_ followed by this."), default=""
    )
    file: str = attrs.field(
        metadata=_says("A file below the namespace's folder in $WF_HTTP_SECRETS."), default=""
    )
    kubernetes_secret: KubernetesSecret | None = attrs.field(
        metadata=_says("A key of a Secret in the workflow's namespace."), default=None
    )


@attrs.frozen(kw_only=True)
class BasicAuth:
    """User and password, as `Authorization: Basic`."""

    user: str = attrs.field(metadata=_says("The user's name."))
    secret: str = attrs.field(metadata=_says("Which of `secrets` is the password."))


@attrs.frozen(kw_only=True)
class Tls:
    """How the server proves who it is, and how we do. Files are named as `file` of a secret is."""

    ca_file: str = attrs.field(
        metadata=_says("Authorities (PEM) to trust in place of the usual ones."), default=""
    )
    client_cert_file: str = attrs.field(metadata=_says("Our certificate (PEM)."), default="")
    client_key_file: str = attrs.field(
        metadata=_says("Its key (PEM); default: it is in clientCertFile."), default=""
    )
    server_name: str = attrs.field(
        metadata=_says("The name its certificate must have; default: the host's."), default=""
    )
    insecure_skip_verify: bool = attrs.field(
        metadata=_says("Take any certificate: whoever is in between reads and changes all."),
        default=False,
    )


@attrs.frozen(kw_only=True)
class Idempotency:
    """The header that lets a service recognise a repeated request."""

    header: str = attrs.field(
        metadata=_says("Its name; empty: none is sent."), default="Idempotency-Key"
    )
    quoted: bool = attrs.field(
        metadata=_says('"key", as the draft of the standard has it, or the bare key.'), default=True
    )


@attrs.frozen(kw_only=True)
class Request:
    """One request. In `url` a `{name}` stands for an attribute of this very step."""

    method: Method = attrs.field(metadata=_says("The method."), default="POST")
    url: str = attrs.field(
        metadata=_says("http:// or https://, a host and a path.", "url"), default=""
    )
    query: dict[str, Text] = attrs.field(
        metadata=_says("Parameters that are added to the URL.", "braces"), factory=dict
    )
    headers: dict[str, Text] = attrs.field(
        metadata=_says("Headers beside those for all requests.", "braces"), factory=dict
    )
    json: Any = attrs.field(metadata=_says("The body, sent as JSON.", "braces"), default=None)
    form: dict[str, Text] | None = attrs.field(
        metadata=_says("The body, sent as a form.", "braces"), default=None
    )
    body: str | None = attrs.field(
        metadata=_says("The body as it is, text/plain unless a header says otherwise."),
        default=None,
    )
    timeout_seconds: float = attrs.field(
        metadata=_says("Seconds for the whole request, from the name's look-up to the last byte."),
        default=30.0,
    )
    success: Statuses = attrs.field(
        metadata=_says("Statuses that are a success: 201, 2xx, 200-204."), factory=list
    )
    retryable: Statuses = attrs.field(
        metadata=_says("Statuses that are tried again, and counted."), factory=list
    )
    fatal: Statuses = attrs.field(
        metadata=_says("Statuses after which no retry helps."), factory=list
    )


@attrs.frozen(kw_only=True)
class RollbackRequest(Request):
    """The undo. Without `url` it goes to the Location that the run answered with."""

    method: Method = attrs.field(metadata=_says("The method."), default="DELETE")


@attrs.frozen(kw_only=True)
class Condition:
    """Holds where all that is given holds."""

    status: Statuses = attrs.field(metadata=_says("Statuses of the answer."), factory=list)
    pointer: str | None = attrs.field(
        metadata=_says("A JSON pointer (RFC 6901) into the answer."), default=None
    )
    values: list[Any] = attrs.field(
        metadata=_says("What may stand there; default: anything but null and false."), factory=list
    )


@attrs.frozen(kw_only=True)
class CheckRequest(Request):
    """Looks at work that goes on, and at what was made. Without `url` it goes to the Location that
    came with 202."""

    method: Method = attrs.field(metadata=_says("The method."), default="GET")
    done: Condition | None = attrs.field(
        metadata=_says("When the work is done; default: any success but 202."), default=None
    )
    failed: Condition | None = attrs.field(
        metadata=_says("When the work has failed."), default=None
    )
    failed_is: Literal["fatal", "retryable"] = attrs.field(
        metadata=_says("Whether failed work is asked for again, under the same key."),
        default="fatal",
    )
    signal: str = attrs.field(
        metadata=_says("Wait for this signal (`wf signal`) and take its value for the answer."),
        default="",
    )
    period_seconds: float | None = attrs.field(
        metadata=_says("Seconds between two looks; the server's Retry-After comes first."),
        default=None,
    )


@attrs.frozen(kw_only=True)
class ResourcePointers:
    """Where in the answer the fields of the step's resource are."""

    id: str | None = attrs.field(metadata=_says("JSON pointer to its id."), default=None)
    name: str | None = attrs.field(metadata=_says("JSON pointer to its name."), default=None)
    status: str | None = attrs.field(metadata=_says("JSON pointer to its status."), default=None)
    address: str | None = attrs.field(
        metadata=_says("JSON pointer to its address; default: the Location header."), default=None
    )


@attrs.frozen(kw_only=True)
class HttpParameters:
    """Parameters of an `http` step. Nothing secret is in here, only names of secrets."""

    run: Request = attrs.field(metadata=_says("The request that does it."))
    rollback: RollbackRequest | None = attrs.field(
        metadata=_says("The request that undoes it, also where the run never took effect."),
        default=None,
    )
    check: CheckRequest | None = attrs.field(
        metadata=_says("Looks at a run that goes on (202), and every syncPeriodSeconds after."),
        default=None,
    )
    rollback_check: CheckRequest | None = attrs.field(
        metadata=_says("Looks at an undo that goes on (202)."), default=None
    )
    headers: dict[str, Text] = attrs.field(
        metadata=_says("Headers of all requests: a text, or {secret, prefix, suffix}.", "braces"),
        factory=dict,
    )
    basic_auth: BasicAuth | None = attrs.field(
        metadata=_says("User and password for all requests."), default=None
    )
    secrets: dict[str, SecretSource] = attrs.field(
        metadata=_says("Names for secrets, and where each comes from."), factory=dict
    )
    tls: Tls = attrs.field(
        metadata=_says("Certificates, ours and the server's."),
        factory=Tls,
    )
    idempotency: Idempotency = attrs.field(
        metadata=_says("How the idempotency key is sent."), factory=Idempotency
    )
    repeatable: bool = attrs.field(
        metadata=_says("Whether the run may be sent again where nobody knows if it took effect."),
        default=True,
    )
    attributes: dict[str, str] = attrs.field(
        metadata=_says("Attributes of the step, by JSON pointers into the answer."), factory=dict
    )
    resource: ResourcePointers = attrs.field(
        metadata=_says("The step's resource, by JSON pointers into the answer."),
        factory=ResourcePointers,
    )
    max_response_bytes: int = attrs.field(
        metadata=_says("Bytes of an answer, unpacked, that are read."), default=1024 * 1024
    )
