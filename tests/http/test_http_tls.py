"""Certificates, the server's and ours."""

import re
import shutil
import ssl
from pathlib import Path

import pytest
from tests.http.conftest import Certificates
from tests.http.http_bench import KIND, running
from tests.http.http_server import Server, answers, hangs, serving, serving_context

from wf_core.kinds import Fatal, Retryable, Success


@pytest.fixture
def context(certificates: Certificates) -> ssl.SSLContext:
    return serving_context(*certificates.issue("server", "IP:127.0.0.1", "DNS:shop.example"))


@pytest.fixture
def trusted(certificates: Certificates, secrets: Path) -> dict[str, str]:
    """`tls` with the authority of the tests."""
    shutil.copy(certificates.authority, secrets / "ca.pem")
    return {"caFile": "ca.pem"}


def lacking(server: Server, sentence: str, **tls: object) -> None:
    call = running(server.url(), tls=tls)
    with pytest.raises(Fatal, match=sentence):
        KIND.run(call)
    assert server.got == []
    (said,) = KIND.lacks(call.parameters, namespace="default")
    assert re.search(sentence, said)


def refused(server: Server, sentence: str, **tls: object) -> None:
    with pytest.raises(Retryable, match=sentence):
        KIND.run(running(server.url(), tls=tls))
    assert server.got == []


def test_a_server_of_a_trusted_authority_is_called(
    context: ssl.SSLContext, trusted: dict[str, str]
) -> None:
    with serving(answers(200), tls=context) as server:
        assert isinstance(KIND.run(running(server.url(), tls=trusted)), Success)


def test_a_server_nobody_vouches_for_is_sent_nothing(context: ssl.SSLContext) -> None:
    with serving(answers(200), tls=context) as server:
        refused(server, "its certificate is not accepted: unable to get local issuer certificate")


def test_a_certificate_for_another_name_is_not_accepted(
    context: ssl.SSLContext, trusted: dict[str, str]
) -> None:
    with serving(answers(200), tls=context) as server:
        refused(server, "certificate is not accepted", **trusted, serverName="other.example")
        call = running(server.url(), tls={**trusted, "serverName": "shop.example"})
        assert isinstance(KIND.run(call), Success)


def test_insecure_skip_verify_takes_any_certificate(context: ssl.SSLContext) -> None:
    with serving(answers(200), tls=context) as server:
        call = running(server.url(), tls={"insecureSkipVerify": True})
        assert isinstance(KIND.run(call), Success)


def test_we_show_a_certificate_of_our_own(
    certificates: Certificates, trusted: dict[str, str], secrets: Path
) -> None:
    certificate, key = certificates.issue("client")
    shutil.copy(certificate, secrets / "client.pem")
    shutil.copy(key, secrets / "client.key")
    both = {"clientCertFile": "client.pem", "clientKeyFile": "client.key"}
    context = serving_context(
        *certificates.issue("server", "IP:127.0.0.1"), clients=certificates.authority
    )
    with serving(answers(200), tls=context) as server:
        assert isinstance(KIND.run(running(server.url(), tls={**trusted, **both})), Success)
        with pytest.raises(Retryable):
            KIND.run(running(server.url(), tls=trusted))
    assert len(server.got) == 1


def test_a_file_that_is_missing_or_no_certificate_is_named(
    context: ssl.SSLContext, secrets: Path
) -> None:
    (secrets / "no.pem").write_text("hello")
    with serving(answers(200), tls=context) as server:
        lacking(server, r"tls.caFile: 'gone.pem' in WF_HTTP_SECRETS can't be", caFile="gone.pem")
        lacking(server, r"tls.caFile: 'no.pem' .* can't be used", caFile="no.pem")
        lacking(server, r"tls.clientCertFile: 'no.pem'", clientCertFile="no.pem")


def test_a_server_that_speaks_no_tls_is_told_apart() -> None:
    with serving(hangs) as server:
        url = server.url().replace("http:", "https:")
        with pytest.raises(Retryable, match=r"no TLS with 127|no connection within"):
            KIND.run(running(url, run={"timeoutSeconds": 0.3}))


def test_a_handshake_that_hangs_ends_with_the_time_limit() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(Retryable, match=r"no connection within 0.2 s"):
            KIND.run(running(url, run={"timeoutSeconds": 0.2}))
