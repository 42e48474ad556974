"""Whole workflows of `http` steps, run by `wf run`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.cli.made import Shell
from tests.http.http_server import Peer, Request, answers, serving
from tests.patience import PATIENCE

TOKEN = "hunter2-hunter2"
SAVED = ("get", "history", "explain", "logs", "list")


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    return Shell.made(tmp_path, capsys, monkeypatch)


def test_the_example_runs_and_polls_what_goes_on(shell: Shell, root: Path) -> None:
    with serving(answers(201)) as server:
        server.routes["POST /reservations"] = answers(201, {"id": 7})
        server.routes["POST /payments"] = answers(
            202, {}, "location: /payments/1", "retry-after: 1"
        )
        server.routes["GET /payments/1"] = answers(200, {"state": "paid"})
        shop = f"shop={server.url('')}"
        result = shell.wf("run", str(root / "examples/http.yaml"), "--param", shop)
    assert result.code == 0, result.out + result.err
    seen = [each.rpartition("/")[0] if "shipments" in each else each for each in server.seen]
    assert seen == [
        "POST /reservations",
        "POST /payments",
        "GET /payments/1",
        "PUT /shipments",
    ]
    assert server.got[0].json == {"item": 17}
    assert server.got[1].json == {"reservation": 7}


def test_a_saga_of_requests_is_undone_in_reverse_order(shell: Shell, root: Path) -> None:
    with serving(answers(204)) as server:
        server.routes["POST /reservations"] = answers(201, {"id": 7})
        server.routes["POST /payments"] = answers(
            202, {}, "location: /payments/1", "retry-after: 1"
        )
        server.routes["GET /payments/1"] = answers(200, {"state": "paid"})

        def refuses(request: Request, peer: Peer) -> None:
            status = 422 if request.method == "PUT" else 404
            answers(status, {"error": "no carrier"})(request, peer)

        server.behaviours[:] = [refuses, refuses, answers(200), answers(204)]
        shop = f"shop={server.url('')}"
        result = shell.wf("run", str(root / "examples/http.yaml"), "--param", shop)
    assert result.code == 3, result.out + result.err
    payment = server.got[1].headers["idempotency-key"].strip('"')
    assert server.seen[3].startswith("PUT /shipments/")
    assert server.seen[4:] == [
        server.seen[3].replace("PUT", "DELETE"),
        f"POST /payments/{payment}/refund",
        "DELETE /reservations/7",
    ]
    assert "no carrier" in shell.wf("explain", "http").out + shell.wf("get", "http").out


DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
  - name: login
    stepTemplate:
      type: http
      parameters: &parameters
        secrets: {token: {env: SHOP}}
        headers: {Authorization: {secret: token, prefix: "Bearer "}}
        run: {url: "%(url)s/orders"}
        attributes: {echo: /authorization}
        rollback: {url: "%(url)s/orders/{key}"}
  - name: fails
    dependOns: [{name: login}]
    stepTemplate:
      type: http
      parameters: *parameters
      retryPolicy: {runRetryLimit: 0}
"""


def test_a_secret_is_in_nothing_that_is_saved_or_shown(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WF_HTTP_SECRET_SHOP", TOKEN)

    def echoes(request: Request, peer: Peer) -> None:
        status = 200 if len(server.got) != 2 else 400
        answers(status, {"authorization": request.headers["authorization"]})(request, peer)

    with serving(echoes) as server:
        file = shell.file("order.yaml", DOCUMENT.replace("%(url)s", server.url("")))
        result = shell.wf("run", file)
    assert result.code == 3
    assert {each.headers["authorization"] for each in server.got} == {f"Bearer {TOKEN}"}
    shown = [result.out, result.err]
    for verb in SAVED:
        for more in ((), ("-o", "json"), ("-o", "yaml")):
            told = shell.wf(verb, *(() if verb == "list" else ("order",)), *more)
            shown += [told.out, told.err]
    assert "***" in "".join(shown)
    assert TOKEN not in "".join(shown)
    files = [path for path in shell.folder.glob("wf.db*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    assert b"***" in kept
    assert TOKEN.encode() not in kept


def test_a_private_address_is_refused_with_what_to_do(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WF_HTTP_ALLOW")
    monkeypatch.setenv("WF_HTTP_SECRET_SHOP", TOKEN)
    with serving(answers(200)) as server:
        file = shell.file("order.yaml", DOCUMENT.replace("%(url)s", server.url("")))
        result = shell.wf("run", file)
    assert result.code == 3, "undone: nothing was sent, so there is nothing to undo"
    assert server.got == []
    told = shell.wf("get", "order").out + shell.wf("history", "order").out
    assert "WF_HTTP_ALLOW=127.0.0.1" in told


@pytest.mark.slow
def test_b3_a_killed_engine_repeats_the_request_under_the_same_key(tmp_path: Path) -> None:
    """The service does its work, and the engine is killed before it hears so."""
    document = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
  - name: pay
    stepTemplate:
      type: http
      parameters:
        run: {url: "%s"}
        attributes: {id: /id}
        rollback: {url: "%s/{id}"}
"""
    store = ("--store", f"sqlite:{tmp_path / 'wf.db'}")
    victims: list[subprocess.Popen[bytes]] = []

    def kills(_: Request, peer: Peer) -> None:
        os.kill(victims[0].pid, signal.SIGKILL)
        peer.socket.close()

    def wf(*arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "wf_core.cli.main", *store, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    with serving(kills, answers(201, {"id": 1})) as server:
        file = tmp_path / "order.yaml"
        file.write_text(document.replace("%s", server.url()))
        victims.append(wf("run", str(file)))
        victims[0].communicate(timeout=PATIENCE)
        assert victims[0].returncode == -signal.SIGKILL
        second = wf("resume", "order")
        told, _ = second.communicate(timeout=PATIENCE)
        assert second.returncode == 0, told
    keys = [each.headers["idempotency-key"] for each in server.got]
    assert len(keys) == 2
    assert len(set(keys)) == 1


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[2]


REDIRECTED = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {{name: order}}
spec:
  steps:
  - name: order
    stepTemplate:
      type: http
      parameters:
        run: {{url: "{run}"}}
        attributes: {{id: /id}}
        rollback: {{url: "{undo}"}}
"""


@pytest.mark.parametrize(
    ("status", "location"),
    [(301, "/login"), (302, "/login"), (307, "http://other.example/"), (308, "http://[")],
)
def test_b2_what_a_redirecting_service_has_made_is_undone(
    shell: Shell, status: int, location: str
) -> None:
    with serving(answers(204)) as server:
        server.routes["POST /orders"] = answers(status, None, f"location: {location}")
        document = REDIRECTED.format(run=server.url(), undo=server.url("/orders/{key}"))
        result = shell.wf("run", shell.file("w.yaml", document))
    assert result.code == 3, result.out + result.err
    key = server.got[0].headers["idempotency-key"].strip('"')
    assert server.seen == ["POST /orders", f"DELETE /orders/{key}"]


def test_b2_an_undo_whose_id_no_answer_told_fails_and_says_so(shell: Shell) -> None:
    with serving(answers(302, None, "location: /login")) as server:
        document = REDIRECTED.format(run=server.url(), undo=server.url("/orders/{id}"))
        result = shell.wf("run", shell.file("w.yaml", document))
        explained = shell.wf("explain", "order").out
    assert result.code == 4, result.out + result.err
    assert "the undo needs {id}, which no answer told" in " ".join(explained.split())


LACKING = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
    - name: first
      stepTemplate: {type: random}
    - name: pay
      rollback: None
      dependOns: [{name: first}]
      stepTemplate:
        type: http
        parameters:
          secrets: {token: {env: GONE}}
          headers: {Authorization: {secret: token}}
          run: {url: "http://127.0.0.1:1/"}
"""
LACKS = "secret 'token': the engine has no variable WF_HTTP_SECRET_GONE"


def test_c8_a_secret_that_this_machine_lacks_is_said_before_anything_runs(shell: Shell) -> None:
    file = shell.file("w.yaml", LACKING)
    result = shell.wf("run", file)
    assert (result.code, result.out) == (1, "")
    assert LACKS in result.err
    assert shell.wf("list", "-o", "name").out == ""
    assert LACKS in shell.wf("validate", file).out


def test_c8_an_engine_that_lacks_a_secret_begins_no_step(shell: Shell) -> None:
    submitted = shell.wf("submit", shell.file("w.yaml", LACKING))
    assert submitted.code == 0
    assert LACKS in submitted.err
    resumed = shell.wf("resume", "order")
    assert resumed.code == 2
    assert LACKS in resumed.err
    assert [step.attempt for step in shell.load().steps] == [0, 0]
