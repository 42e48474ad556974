"""A person's own authority that Python refuses since 3.13: what each client says about it."""

import asyncio
import base64
import json
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.http.conftest import AUTHORITY, Certificates
from tests.http.http_bench import KIND, running
from tests.http.http_server import answers, serving, serving_context

from wf_core.adapters.clock import SystemClock
from wf_core.callbacks import HttpSender
from wf_core.certificates import REISSUE
from wf_core.config import Config
from wf_core.errors import StoreUnavailable
from wf_core.kinds import Retryable
from wf_core.ports import Delivery
from wf_k8s.client.access import Access
from wf_k8s.client.session import Session

Client = Callable[[str, Path], str]
"""Calls a server whose authority is in a file; returns what it is told of the failure."""


def step(url: str, authority: Path) -> str:
    with pytest.raises(Retryable) as failed:
        KIND.run(running(url, tls={"caFile": authority.name}))
    return str(failed.value)


def callback(url: str, authority: Path) -> str:  # noqa: ARG001
    async def send() -> str:
        sender = HttpSender(Config(), SystemClock())
        try:
            return (await sender.send(Delivery(url, "uid-1/7", {"namespace": "shop"}, True))).error
        finally:
            await sender.close()

    return asyncio.run(send())


def api_server(url: str, authority: Path) -> str:
    encoded = base64.b64encode(authority.read_bytes()).decode()
    kubeconfig = authority.with_name("kubeconfig")
    document = {
        "current-context": "c",
        "clusters": [
            {"name": "c", "cluster": {"server": url, "certificate-authority-data": encoded}}
        ],
        "users": [{"name": "c", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    kubeconfig.write_text(json.dumps(document))

    async def ask() -> str:
        session = Session(Access("", str(kubeconfig)))
        try:
            # Not a GET, which would be tried again.
            with pytest.raises(StoreUnavailable) as failed:
                await session.request("DELETE", "/version")
        finally:
            await session.close()
        return str(failed.value)

    return asyncio.run(ask())


@pytest.mark.parametrize("client", [step, callback, api_server])
@pytest.mark.parametrize(
    ("extensions", "lacks"),
    [
        ((AUTHORITY[0], AUTHORITY[2]), "CA cert does not include key usage extension"),
        (
            ("basicConstraints=CA:TRUE", *AUTHORITY[1:]),
            "Basic Constraints of CA cert not marked critical",
        ),
    ],
)
def test_an_authority_that_lacks_what_rfc_5280_demands_is_said_to(
    client: Client,
    extensions: tuple[str, ...],
    lacks: str,
    tmp_path: Path,
    secrets: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = _authority(tmp_path, extensions)
    _trust_strictly(authority.authority, monkeypatch)
    file = Path(shutil.copy(authority.authority, secrets / "ca.pem"))
    context = serving_context(*authority.issue("server", "IP:127.0.0.1"))
    with serving(answers(200), tls=context) as server:
        told = client(server.url(), file)
    assert f"its certificate is not accepted: {lacks}. {REISSUE}" in told
    assert "can be reached" not in told
    assert server.got == []


def test_an_authority_as_the_advice_has_it_is_accepted(
    tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = _authority(tmp_path, AUTHORITY)
    _trust_strictly(authority.authority, monkeypatch)
    shutil.copy(authority.authority, secrets / "ca.pem")
    context = serving_context(*authority.issue("server", "IP:127.0.0.1"))
    with serving(answers(200), tls=context) as server:
        KIND.run(running(server.url(), tls={"caFile": "ca.pem"}))
    assert len(server.got) == 1


def _authority(folder: Path, extensions: tuple[str, ...]) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make certificates with")
    made = Certificates(folder, extensions)
    made.found()
    return made


def _trust_strictly(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python's own default is since 3.13, with one more authority."""
    made = ssl.create_default_context

    def strictly(*arguments: object, **named: object) -> ssl.SSLContext:
        context: ssl.SSLContext = made(*arguments, **named)  # type: ignore[arg-type]
        context.load_verify_locations(authority)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strictly)
