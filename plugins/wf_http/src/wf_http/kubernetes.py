"""Reading a Secret of the workflow's namespace through the API server.

The engine reads it with its own rights: of itself it has none to Secrets, and the operator grants
those that steps may use, by name, with a Role in their namespace.
"""

import asyncio
import base64

import msgspec

from wf_core.errors import StoreUnavailable
from wf_core.kinds import StepCall
from wf_http.parameters import KubernetesSecret
from wf_http.patience import Patience, TimeIsUp
from wf_http.problems import NoSecret
from wf_http.secrets import ReadSecret, is_object

SCHEME = "k8s:"
PATIENCE = 20.0
"""Seconds that a Secret may take, repeats of the request included."""


class _Data(msgspec.Struct):
    data: dict[str, str] = {}


def reader(call: StepCall) -> ReadSecret:
    """Reads Secrets beside the workflow of `call`; of one in another kind of store, those of the
    kubeconfig's current context."""

    def read(secret: KubernetesSecret) -> bytes:
        patience = Patience(PATIENCE, call.cancelled)
        try:
            return patience.for_work(
                call.namespace, lambda: read_secret(call.store, call.namespace, secret)
            )
        except TimeIsUp:
            raise NoSecret(
                f"the Secret {call.namespace}/{secret.name} can't be read within {PATIENCE:g} s"
            ) from None

    return read


def read_secret(store: str, namespace: str, secret: KubernetesSecret) -> bytes:
    """The value of one key. Raises NoSecret."""
    what = f"the Secret {namespace}/{secret.name}"
    if not is_object(secret.name):
        raise NoSecret(f"{secret.name!r} can't be the name of a Secret")
    try:
        from wf_k8s.client.errors import RefusedError
    except ImportError:
        raise NoSecret(f"{what} can't be read: wf-k8s is not installed") from None
    try:
        data = asyncio.run(_get(store, namespace, secret.name))
    except RefusedError as error:
        raise NoSecret(
            f"{what} can't be read: {error.message or error.reason}; whoever runs the engine can "
            "grant it a Role that may get this very Secret"
        ) from None
    except StoreUnavailable as error:
        raise NoSecret(f"{what} can't be read: {error}") from None
    if secret.key not in data:
        raise NoSecret(f"{what} has no key {secret.key!r}")
    return base64.b64decode(data[secret.key])


async def _get(store: str, namespace: str, name: str) -> dict[str, str]:
    from wf_k8s.client.resources import SECRETS
    from wf_k8s.client.shared import session_of

    in_cluster = store.startswith(SCHEME)
    session = session_of(store.removeprefix(SCHEME) if in_cluster else "")
    try:
        if not in_cluster and namespace == "default":
            namespace = (await session.door()).namespaces[0]
        body = await session.request("GET", SECRETS.path(namespace, name))
    finally:
        await session.close()
    return msgspec.json.decode(body, type=_Data).data
