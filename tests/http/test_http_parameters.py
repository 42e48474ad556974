"""Faults of a document that are found before anything runs."""

from typing import Any

import attrs
import pytest
from tests.http.http_bench import KIND

from wf_core.plugins import LoadedKind
from wf_http import parameters as module
from wf_http.parameters import HttpParameters
from wf_http.plugin import wf_step_kinds
from wf_http.pointers import follow, is_pointer
from wf_http.statuses import numbers

LOADED = LoadedKind("http", KIND, "tested", "")
URL = "https://shop.example/orders"
SECRET = {"token": {"env": "SHOP"}}


def found(undoable: bool = False, **parameters: Any) -> list[str]:
    """The faults of an `http` step, as a person sees them; `run` adds to a POST."""
    run = {"url": URL, **parameters.pop("run", {})}
    faults = LOADED.faults({"run": run, **parameters}, undoable)
    return [f"{fault.path}: {fault.message}" for fault in faults]


def test_the_plugin_brings_the_kind_http() -> None:
    assert [kind.name for kind in wf_step_kinds()] == ["http"]


def test_a_step_that_must_be_undone_needs_a_rollback() -> None:
    (fault,) = found(undoable=True)
    assert fault.startswith("$.rollback: give the request that undoes `run`")
    assert found(undoable=True, rollback={"url": URL}) == []


@pytest.mark.parametrize(
    ("parameters", "start"),
    [
        ({"run": {"url": ""}}, "$.run.url: is missing"),
        ({"run": {"url": "ftp://a/"}}, "$.run.url: must begin with http"),
        ({"run": {"url": "https://{key}.example/"}}, "$.run.url: a {name} can stand in path and"),
        ({"run": {"url": "https://a:b@c.example/"}}, "$.run.url: holds a user or password"),
        ({"run": {"url": f"{URL}/{{id}}"}}, "$.run: {id} is not known before the run"),
        ({"run": {"json": {"a": "{id}"}}}, "$.run: {id} is not known before the run"),
        ({"run": {"json": 1, "body": "x"}}, "$.run: has several bodies"),
        ({"run": {"method": "TRACE"}}, "$.run.method: give one of GET, HEAD, POST"),
        ({"run": {"timeoutSeconds": 0}}, "$.run.timeoutSeconds: give seconds, more than 0"),
        ({"run": {"success": ["2x"]}}, "$.run.success: '2x' is no status"),
        ({"run": {"fatal": [99]}}, "$.run.fatal: 99 is no status"),
        ({"run": {"retryable": ["500-400"]}}, "$.run.retryable: '500-400' is no status"),
        ({"run": {"headers": {"a b": "x"}}}, "$.run.headers: 'a b' can't be the name of a header"),
        ({"headers": {"Host": "x"}}, "$.headers: Host follows from the request"),
        ({"headers": {"A": {"secret": "no"}}}, "$.headers.A.secret: there is no 'no' under secret"),
        ({"basicAuth": {"user": "a", "secret": "b"}}, "$.basicAuth.secret: there is no 'b'"),
        ({"secrets": {"t": {}}}, "$.secrets.t: give one of env, file, kubernetesSecret"),
        ({"secrets": {"t": {"env": "A", "file": "b"}}}, "$.secrets.t: give one of env"),
        ({"secrets": {"t": {"env": "A=B"}}}, "$.secrets.t.env: 'A=B' can't follow WF_HTTP_SECRET_"),
        ({"secrets": {"t": {"file": "../x"}}}, "$.secrets.t.file: '../x' is no name below"),
        ({"secrets": {"t": {"file": "/etc/passwd"}}}, "$.secrets.t.file: '/etc/passwd' is no"),
        ({"secrets": {"t": {"file": "a/..data/b"}}}, "$.secrets.t.file: 'a/..data/b' is no"),
        ({"tls": {"caFile": "/ca"}}, "$.tls.caFile: '/ca' is no name below"),
        ({"tls": {"clientKeyFile": "k"}}, "$.tls.clientKeyFile: stands alone"),
        ({"idempotency": {"header": "a b"}}, "$.idempotency.header: 'a b' can't be"),
        ({"attributes": {"id": "id"}}, "$.attributes.id: 'id' is no JSON pointer"),
        ({"attributes": {"key": "/k"}}, "$.attributes.key: is taken"),
        ({"resource": {"id": "/~2"}}, "$.resource.id: '/~2' is no JSON pointer"),
        ({"maxResponseBytes": 0}, "$.maxResponseBytes: give bytes, 1 or more"),
        (
            {"maxResponseBytes": 10**12},
            "$.maxResponseBytes: 1000000000000 is more than the 4194304",
        ),
        (
            {"secrets": {"a": {"kubernetesSecret": {"name": "..", "key": "k"}}}},
            "$.secrets.a.kubernetesSecret.name: '..' can't be the name of a Secret",
        ),
        (
            {"secrets": {"a": {"kubernetesSecret": {"name": ".", "key": "k"}}}},
            "$.secrets.a.kubernetesSecret.name: '.' can't be the name of a Secret",
        ),
        (
            {"secrets": {"a": {"kubernetesSecret": {"name": "a/b", "key": "k"}}}},
            "$.secrets.a.kubernetesSecret.name: 'a/b' can't be the name of a Secret",
        ),
        ({"rollback": {"url": f"{URL}/{{id}}"}}, "$.rollback: the step has no {id}"),
        ({"check": {"done": {}}}, "$.check.done: says nothing"),
        ({"check": {"failed": {"values": [1]}}}, "$.check.failed: says nothing"),
        ({"check": {"periodSeconds": -1}}, "$.check.periodSeconds: give seconds"),
        ({"unknown": 1}, "$.unknown: there is no such parameter"),
    ],
)
def test_each_fault_names_its_place(parameters: dict[str, Any], start: str) -> None:
    assert found(**parameters)[0].startswith(start)


@pytest.mark.parametrize(
    "parameters",
    [
        {"run": {"url": "${parameters.base}/orders"}},
        {"run": {"url": "https://[2001:db8::1]:8443/{key}?a=b"}},
        {"run": {"json": {"literal": "{{id}}", "text": "{ not a name }"}}},
        {"run": {"body": "query { orders { id } }"}},
        {"rollback": {"url": f"{URL}/{{id}}"}, "attributes": {"id": "/id"}},
        {"rollback": {"url": f"{URL}/{{resource.id}}", "json": "{resource.name}"}},
        {"secrets": {"t": {"file": "shop/api/token"}}},
        {"secrets": {"t": {"kubernetesSecret": {"name": "shop", "key": "token"}}}},
        {"headers": {"A": {"secret": "token", "prefix": "Bearer "}}, "secrets": SECRET},
        {"check": {"done": {"pointer": "/state", "values": ["done", 1, None]}}},
        {"run": {"success": [200, "201", "2xx", "200-299"]}},
    ],
)
def test_what_is_right_has_no_fault(parameters: dict[str, Any]) -> None:
    assert found(**parameters) == []


def test_a_misspelt_name_gets_a_hint() -> None:
    (fault,) = found(rollback={"url": f"{URL}/{{ordr}}"}, attributes={"order": "/id"})
    assert "did you mean" in fault
    assert "order" in fault


def test_every_parameter_is_described() -> None:
    classes = [each for each in vars(module).values() if attrs.has(each)]
    assert HttpParameters in classes
    undescribed = [
        f"{cls.__name__}.{field.name}"
        for cls in classes
        for field in attrs.fields(cls)
        if not field.metadata.get("description")
    ]
    assert undescribed == []


@pytest.mark.parametrize(
    ("item", "first", "last"),
    [
        (404, 404, 404),
        ("404", 404, 404),
        ("4xx", 400, 499),
        ("5XX", 500, 599),
        ("200-204", 200, 204),
    ],
)
def test_statuses_are_numbers_classes_and_ranges(item: int | str, first: int, last: int) -> None:
    found = numbers(item)
    assert found is not None
    assert (found[0], found[-1]) == (first, last)


@pytest.mark.parametrize("item", ["", "2x", "6xx", "99", "1000", "a", "204-200", "2xx-3xx", "-404"])
def test_what_is_no_status_is_told(item: str) -> None:
    assert numbers(item) is None


RFC6901 = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", RFC6901),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_pointers_are_those_of_rfc_6901(pointer: str, value: object) -> None:
    assert is_pointer(pointer)
    assert follow(pointer, RFC6901) == value


@pytest.mark.parametrize("pointer", ["/bar", "/foo/2", "/foo/-", "/foo/00", "/foo/x", "/foo/0/a"])
def test_a_pointer_to_nothing_is_told(pointer: str) -> None:
    assert is_pointer(pointer)
    with pytest.raises(LookupError):
        follow(pointer, RFC6901)
