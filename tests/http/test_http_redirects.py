"""Redirects stay with the host, and never turn a run into something else."""

import pytest
from tests.http.conftest import Certificates
from tests.http.http_bench import KIND, running
from tests.http.http_server import answers, serving, serving_context

from wf_core.kinds import Fatal, Success


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_at_the_same_host_keeps_method_body_and_key(status: int) -> None:
    with serving(answers(status, None, "location: /v2/orders?x=1"), answers(201)) as server:
        call = running(server.url(), run={"json": {"a": 1}})
        assert isinstance(KIND.run(call), Success)
    first, second = server.got
    assert second.path == "/v2/orders?x=1"
    assert (second.method, second.json) == ("POST", {"a": 1})
    assert second.headers["idempotency-key"] == first.headers["idempotency-key"]


def test_see_other_is_asked_for_by_get_without_the_body() -> None:
    with serving(answers(303, None, "location: /orders/1"), answers(200, {"id": 1})) as server:
        call = running(server.url(), run={"json": {"a": 1}}, attributes={"id": "/id"})
        answer = KIND.run(call)
    assert server.seen == ["POST /orders", "GET /orders/1"]
    assert server.got[1].content == b""
    assert not {"content-length", "content-type"} & set(server.got[1].headers)
    assert isinstance(answer, Success)
    assert answer.attributes == {"id": 1}


def test_see_other_at_another_host_is_a_success_that_is_not_followed() -> None:
    with serving(answers(303, None, "location: http://other.example/1")) as server:
        answer = KIND.run(running(server.url()))
    assert isinstance(answer, Success)
    assert len(server.got) == 1


@pytest.mark.parametrize("status", [301, 302])
def test_what_leaves_the_method_open_is_followed_for_reading_alone(status: int) -> None:
    sentence = "which leaves open what becomes of POST; give that URL"
    with (
        serving(answers(status, None, "location: /new"), answers(200)) as server,
        pytest.raises(Fatal, match=sentence),
    ):
        KIND.run(running(server.url()))
    assert server.seen == ["POST /orders"]
    with serving(answers(status, None, "location: /new"), answers(200)) as server:
        assert isinstance(KIND.run(running(server.url(), run={"method": "GET"})), Success)
    assert server.seen == ["GET /orders", "GET /new"]


def test_another_host_is_not_followed_and_hears_nothing() -> None:
    with (
        serving(answers(200)) as other,
        serving(answers(307, None, f"location: {other.url('/take')}")) as server,
    ):
        call = running(server.url(), headers={"Authorization": "Bearer x"})
        with pytest.raises(Fatal, match="other hosts, schemes and ports are not followed"):
            KIND.run(call)
    assert other.got == []


def test_another_name_of_the_same_machine_is_another_host() -> None:
    with serving(answers(200)) as server:
        server.behaviours.insert(0, answers(308, None, f"location: {server.url('/', 'localhost')}"))
        with pytest.raises(Fatal, match="not followed"):
            KIND.run(running(server.url()))
    assert len(server.got) == 1


def test_https_is_never_left(certificates: Certificates) -> None:
    context = serving_context(*certificates.issue("server", "IP:127.0.0.1"))
    with serving(answers(200), tls=context) as server:
        plain = f"location: http://127.0.0.1:{server.port}/orders"
        server.behaviours.insert(0, answers(307, None, plain))
        call = running(server.url(), tls={"insecureSkipVerify": True})
        with pytest.raises(Fatal, match=r"leads to http://127.0.0.1"):
            KIND.run(call)
    assert len(server.got) == 1


def test_a_loop_ends() -> None:
    with (
        serving(answers(307, None, "location: /orders")) as server,
        pytest.raises(Fatal, match="redirected more than 5 times"),
    ):
        KIND.run(running(server.url()))
    assert len(server.got) == 6


@pytest.mark.parametrize("location", ["//other.example/x", "http://[", "ftp://127.0.0.1/", "\x7f:"])
def test_a_location_that_makes_no_sense_is_not_followed(location: str) -> None:
    with serving(answers(307, None, f"location: {location}")) as server, pytest.raises(Fatal):
        KIND.run(running(server.url()))
    assert len(server.got) == 1
