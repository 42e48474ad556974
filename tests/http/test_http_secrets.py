"""Secrets get where they are to go, and nowhere else."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.http.http_bench import KIND, logged, looking, running, undoing
from tests.http.http_server import Peer, Request, answers, closes, serving

from wf_core.kinds import Fatal, InProgress, Retryable, Success
from wf_core.plugins import LoadedKind
from wf_core.testing.calls import RecordedCall

TOKEN = 's3cr+t/"token'
HEADERS = {"Authorization": {"secret": "token", "prefix": "Bearer "}}
FROM_FILE = {"token": {"file": "shop/token"}}


@pytest.fixture
def token(secrets: Path) -> str:
    (secrets / "shop").mkdir()
    (secrets / "shop" / "token").write_text(TOKEN + "\n")
    return TOKEN


def echoes(request: Request, peer: Peer) -> None:
    """Answer with all that came in, as careless services do."""
    answers(200, {"headers": request.headers, request.headers["authorization"]: 1})(request, peer)


def everything(call: RecordedCall, said: object) -> str:
    return f"{said!r} {said} {logged(call)} {call.checkpoints} {call.parameters!r}"


def test_a_secret_from_a_file_reaches_the_service(token: str) -> None:
    with serving(answers(200)) as server:
        KIND.run(running(server.url(), headers=HEADERS, secrets=FROM_FILE))
    assert server.got[0].headers["authorization"] == f"Bearer {token}"


def test_a_secret_from_a_variable_reaches_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WF_HTTP_SECRET_SHOP", "abc")
    with serving(answers(200)) as server:
        call = running(
            server.url(),
            headers=HEADERS,
            secrets={"token": {"env": "SHOP"}},
            run={
                "form": {"client_secret": {"secret": "token"}},
                "query": {"k": {"secret": "token", "prefix": "p-", "suffix": "-s"}},
            },
        )
        KIND.run(call)
    (got,) = server.got
    assert got.headers["authorization"] == "Bearer abc"
    assert (got.path, got.content) == ("/orders?k=p-abc-s", b"client_secret=abc")
    assert "abc" not in logged(call)


def test_basic_auth_is_sent_and_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WF_HTTP_SECRET_SHOP", "open sesame")
    packed = "YWxpOm9wZW4gc2VzYW1l"
    with serving(echoes) as server:
        call = running(
            server.url(),
            basicAuth={"user": "ali", "secret": "pw"},
            secrets={"pw": {"env": "SHOP"}},
            attributes={"echo": "/headers/authorization"},
        )
        answer = KIND.run(call)
    assert server.got[0].headers["authorization"] == f"Basic {packed}"
    assert isinstance(answer, Success)
    assert answer.attributes == {"echo": "Basic ***"}


def test_a_service_that_echoes_a_secret_gets_it_into_nothing_that_is_kept(token: str) -> None:
    with serving(echoes) as server:
        call = running(
            server.url(),
            headers=HEADERS,
            secrets=FROM_FILE,
            attributes={"all": "", "echo": "/headers/authorization"},
            resource={"id": "/headers/authorization"},
        )
        answer = KIND.run(call)
    assert isinstance(answer, Success)
    assert answer.attributes is not None
    assert answer.attributes["echo"] == "Bearer ***"
    assert token not in everything(call, answer)
    assert token[:5] not in everything(call, answer)


@pytest.mark.parametrize("status", [400, 500, 503])
def test_errors_that_quote_a_secret_do_not_show_it(token: str, status: int) -> None:
    def quotes(request: Request, peer: Peer) -> None:
        body = f"bad token {request.headers['authorization']}".encode()
        answers(status, content=body)(request, peer)

    with serving(quotes) as server:
        call = running(server.url(), headers=HEADERS, secrets=FROM_FILE)
        with pytest.raises((Fatal, Retryable), match=r"bad token Bearer \*\*\*") as failure:
            KIND.run(call)
    assert token not in everything(call, failure.value)


def test_faults_of_the_connection_do_not_show_it(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(closes) as server:
        call = running(server.url(), headers=HEADERS, secrets=FROM_FILE, run={"query": HEADERS})
        with pytest.raises(Retryable) as failure:
            KIND.run(call)
    assert token not in everything(call, failure.value) + caplog.text
    assert failure.value.__cause__ is None


def test_an_unforeseen_exception_does_not_show_it(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError(f"what was sent: {token}")

    monkeypatch.setattr("wf_http.sending.exchange", fails)
    with serving(answers(200)) as server:
        call = running(server.url(), headers=HEADERS, secrets=FROM_FILE)
        with pytest.raises(Retryable, match=r"RuntimeError: what was sent: \*\*\*") as failure:
            KIND.run(call)
    assert token not in everything(call, failure.value)
    assert "Traceback" in logged(call)


@pytest.mark.parametrize("value", ["two\nlines", "nul\0", "emoji ☃"])
def test_a_secret_that_no_header_can_hold_is_refused_unseen(secrets: Path, value: str) -> None:
    (secrets / "token").write_text(value)
    with serving(answers(200)) as server:
        call = running(server.url(), headers=HEADERS, secrets={"token": {"file": "token"}})
        with pytest.raises(Fatal, match="Authorization holds a character that no") as failure:
            KIND.run(call)
    assert server.got == []
    assert value not in everything(call, failure.value)


def test_a_location_that_holds_a_secret_is_not_kept(token: str) -> None:
    with serving(answers(202, None, f"location: /work?t={token}")) as server:
        call = running(server.url(), headers=HEADERS, secrets=FROM_FILE)
        with pytest.raises(Fatal, match="Location holds a secret") as failure:
            KIND.run(call)
    assert token not in everything(call, failure.value)


def test_a_poll_sends_the_secret_to_the_same_host_alone(token: str) -> None:
    with (
        serving(answers(202, None, "location: http://other.example/work")) as server,
        pytest.raises(Fatal, match=r"other hosts, .* give check.url"),
    ):
        KIND.run(running(server.url(), headers=HEADERS, secrets=FROM_FILE))
    with serving(answers(202, None, "location: /work")) as server:
        call = running(server.url(), headers=HEADERS, secrets=FROM_FILE)
        answer = KIND.run(call)
        assert isinstance(answer, InProgress)
        look = looking(
            {"run": {"url": server.url()}, "headers": HEADERS, "secrets": FROM_FILE},
            previous=_previous(answer),
        )
        KIND.sync(look)
    assert server.got[1].headers["authorization"] == f"Bearer {token}"


def _previous(answer: InProgress) -> Any:
    from wf_core.kinds import Previous
    from wf_core.model.phases import Ended

    return Previous(Ended.IN_PROGRESS, answer.resource, answer.attributes or {})


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({"env": "NONE"}, "the engine has no variable WF_HTTP_SECRET_NONE"),
        ({"file": "none"}, "the file default/none in WF_HTTP_SECRETS can't be read: No such"),
        ({"file": "empty"}, "secret 'token' is empty"),
        ({"file": "binary"}, "secret 'token' is no text in UTF-8"),
        ({"file": "large"}, "secret 'token' is larger than 65536 bytes"),
    ],
)
def test_what_the_engine_itself_lacks_ends_the_first_call_and_is_said_before_it(
    secrets: Path, source: dict[str, str], sentence: str
) -> None:
    (secrets / "empty").write_text("\n")
    (secrets / "binary").write_bytes(b"\xff\xfe")
    (secrets / "large").write_text("x" * 70_000)
    given: dict[str, Any] = {"headers": HEADERS, "secrets": {"token": source}}
    with serving(answers(200)) as server:
        first = running(server.url(), **given)
        with pytest.raises(Fatal, match=sentence):
            KIND.run(first)
        # Something may have been done before: another engine may have what this one lacks.
        for later in ({"attempt": 2}, {"interruptions": 1}):
            with pytest.raises(Retryable, match=sentence):
                KIND.run(running(server.url(), **{**given, **later}))
        undo = {"url": server.url(), "method": "DELETE"}
        with pytest.raises(Retryable, match=sentence):
            KIND.rollback(undoing(server.url(), undo, **given))
    assert server.got == []
    (said,) = KIND.lacks(first.parameters, namespace="default")
    assert sentence in said


def test_nothing_is_lacking_where_everything_is_there_or_comes_later(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WF_HTTP_SECRET_SHOP", token)
    call = running(
        "http://127.0.0.1:1/",
        secrets={
            **FROM_FILE,
            "variable": {"env": "SHOP"},
            "named-later": {"env": "${parameters.name}"},
            "of-the-cluster": {"kubernetesSecret": {"name": "none", "key": "none"}},
        },
    )
    assert list(KIND.lacks(call.parameters, namespace="default")) == []


def test_files_need_a_folder_that_the_operator_names() -> None:
    with pytest.raises(Fatal, match=r"there is no folder .* WF_HTTP_SECRETS=FOLDER"):
        KIND.run(running("http://127.0.0.1:1/", headers=HEADERS, secrets=FROM_FILE))


def test_files_of_another_namespace_are_out_of_reach(secrets: Path) -> None:
    (secrets.parent / "other").mkdir()
    (secrets.parent / "other" / "token").write_text("theirs")
    call = running(
        "http://127.0.0.1:1/", headers=HEADERS, secrets={"token": {"file": "../other/token"}}
    )
    with pytest.raises(Fatal, match="is no file below the folder"):
        KIND.run(call)


def test_a_secret_mounted_by_kubernetes_is_read_through_its_links(secrets: Path) -> None:
    version = secrets / "..2026_01_01"
    version.mkdir()
    (version / "token").write_text("abc")
    (secrets / "..data").symlink_to("..2026_01_01")
    (secrets / "token").symlink_to("..data/token")
    with serving(answers(200)) as server:
        KIND.run(running(server.url(), headers=HEADERS, secrets={"token": {"file": "token"}}))
    assert server.got[0].headers["authorization"] == "Bearer abc"


def test_b5_what_is_saved_of_the_parameters_names_secrets_and_holds_none(token: str) -> None:
    loaded = LoadedKind(KIND.name, KIND, "wf-http", "1")
    given = {
        "run": {"url": "https://shop.test/", "headers": HEADERS},
        "basicAuth": {"user": "ali", "secret": "token"},
        "secrets": FROM_FILE,
    }
    with serving(answers(200)) as server:
        call = running(server.url(), headers=HEADERS, secrets=FROM_FILE)
        KIND.run(call)
    assert server.got[0].headers["authorization"] == f"Bearer {token}"
    for decoded in (loaded.decode(given), call.parameters):
        saved = json.dumps(loaded.encode(decoded))
        assert json.dumps(token)[1:-1] not in saved
        assert '"secret": "token"' in saved
