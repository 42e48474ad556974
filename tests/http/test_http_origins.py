"""Secrets go where the author's own text sends them; `{name}` is expanded in it alone (B5)."""

from typing import Any

import pytest
from tests.http.http_bench import KIND, left, running, undoing
from tests.http.http_server import answers, serving

from wf_core.kinds import Fatal
from wf_core.model.phases import Ended
from wf_core.plugins.registry import Registry
from wf_core.saga.resolving import resolve

SECRET: dict[str, Any] = {
    "headers": {"Authorization": {"secret": "token"}},
    "secrets": {"token": {"env": "SHOP"}},
}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WF_HTTP_SECRET_SHOP", "s3cret")


def test_an_address_in_an_answer_does_not_lead_a_secret_elsewhere() -> None:
    with serving(answers(200)) as ours, serving(answers(200)) as theirs:
        found = left(Ended.SUCCEEDED, address=theirs.url("/steal"))
        with pytest.raises(Fatal, match="the step's secrets are sent to"):
            KIND.rollback(undoing(ours.url("/orders"), {}, previous=found, **SECRET))
        assert theirs.got == []


def test_an_address_at_the_same_origin_is_used() -> None:
    with serving(answers(200)) as ours:
        found = left(Ended.SUCCEEDED, address=ours.url("/orders/7"))
        KIND.rollback(undoing(ours.url("/orders"), {}, previous=found, **SECRET))
        assert [each.path for each in ours.got] == ["/orders/7"]


def test_what_a_reference_brought_is_not_expanded_again() -> None:
    values = {"id": "{key}", "doc": {"deep": ["{key}", "{{key}}", "x"]}}
    places = Registry.of([KIND]).kind("http").places
    with serving(answers(200)) as server:
        document: dict[str, Any] = {
            "run": {
                "url": server.url("/o/${attributes.id}"),
                "query": {"q": "${attributes.id}", "own": "{key}"},
                "json": {"a": "${attributes.id}", "b": "${attributes.doc}", "own": "{key}"},
            }
        }
        resolved: Any = resolve(
            document, lambda reference: values[reference.path[0]], places(document)
        )
        call = running("", run=resolved["run"])
        KIND.run(call)
    (got,) = server.got
    assert got.path == f"/o/%7Bkey%7D?q=%7Bkey%7D&own={call.run_key}"
    assert got.json == {
        "a": "{key}",
        "b": {"deep": ["{key}", "{{key}}", "x"]},
        "own": call.run_key,
    }
