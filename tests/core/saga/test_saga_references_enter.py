"""How a reference enters a text: as text, in a URL, in a shell's text; and how much (B5, C7)."""

import subprocess
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core.model.places import Place, Way
from wf_core.saga.references import BadReference, Reference
from wf_core.saga.resolving import MAX_RESOLVED, Measure, resolve
from wf_core.testing.saga_driver import KINDS, Drive, Kind, done, step, workflow

GIVEN = {"base": "http://shop:81/api", "host": "shop", "id": "a/b?c#d", "n": 5, "up": ".."}
ANSWERED = {"id": "../../admin?force=1#", "port": "@evil:99/steal", "key": "{key}", "none": ""}
HOSTILE = 'x\'; touch "$HOME"; `false` $(false) \\ \n& end'


def lookup(reference: Reference) -> Any:
    values: Mapping[str, Any] = GIVEN if reference.given else ANSWERED
    return values[reference.path[-1]]


def url(text: str) -> Any:
    return resolve(text, lookup, {(): Way.URL})


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("http://shop/o/${steps.a.attributes.id}", "http://shop/o/..%2F..%2Fadmin%3Fforce%3D1%23"),
        (
            "http://shop/o?q=${attributes.id}&r=1",
            "http://shop/o?q=..%2F..%2Fadmin%3Fforce%3D1%23&r=1",
        ),
        ("${parameters.base}/o/${parameters.id}", "http://shop:81/api/o/a%2Fb%3Fc%23d"),
        ("${parameters.base}", "http://shop:81/api"),
        ("http://${parameters.host}:${parameters.n}/o", "http://shop:5/o"),
        ("http://shop/${attributes.key}/{key}", "http://shop/%7Bkey%7D/{key}"),
        ("http://shop/o?q=${attributes.none}", "http://shop/o?q="),
    ],
)
def test_b5_in_a_url_a_value_stays_in_its_place(text: str, becomes: str) -> None:
    assert url(text) == becomes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${attributes.id}", "comes before the path"),
        ("http://shop${steps.a.attributes.port}/o", "comes before the path"),
        ("http://${attributes.id}/o", "comes before the path"),
        ("http:/${attributes.id}", "comes before the path"),
        ("${parameters.base}${attributes.port}", None),
        ("http://${parameters.id}/o", "holds more than that"),
        ("http://shop/${parameters.up}/o", "lead to another path"),
        ("http://shop/.${attributes.none}/o", "lead to another path"),
        ("http://shop/o/${attributes.none}", "lead to another path"),
        ("http://shop/{${attributes.id}}", "write the name itself"),
    ],
)
def test_b5_in_a_url_a_value_that_would_lead_elsewhere_is_refused(
    text: str, why: str | None
) -> None:
    if why is None:  # the base has a path already: what follows is a part of it
        assert urlsplit(url(text)).netloc == "shop:81"
        return
    with pytest.raises(BadReference, match=why):
        url(text)


@given(value=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_b5_no_value_changes_where_a_url_leads(value: str) -> None:
    try:
        made = resolve(
            "http://shop/o/${attributes.v}/rest?q=${attributes.v}#end",
            lambda _: value,
            {(): Way.URL},
        )
    except BadReference:
        assert value in (".", "..")
        return
    parts = urlsplit(str(made))
    assert (parts.scheme, parts.netloc, parts.fragment) == ("http", "shop", "end")
    segments = parts.path.split("/")
    assert [segments[1], segments[3]] == ["o", "rest"]
    assert unquote(segments[2]) == value
    assert unquote(parts.query.removeprefix("q=")) == value


SHELL_TEXTS = [
    "printf %s ${attributes.v}",
    'printf %s "${attributes.v}"',
    "printf %s '${attributes.v}'",
    "# don't\nprintf %s ${attributes.v}",
    'printf %s "$(printf %s ${attributes.v})"',
    "printf %s it\\'s >/dev/null; printf %s ${attributes.v}",
]


@pytest.mark.parametrize("text", SHELL_TEXTS)
def test_b6_a_value_in_a_shells_text_is_never_run(text: str, tmp_path: Any) -> None:
    made = resolve(text, lambda _: "$(touch made); touch made; `touch made`", {(): Way.SHELL})
    subprocess.run(["/bin/sh", "-c", str(made)], cwd=tmp_path, check=False, capture_output=True)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("text", SHELL_TEXTS[:4])
def test_b6_a_value_in_a_shells_text_arrives_as_it_is(text: str) -> None:
    made = resolve(text, lambda _: HOSTILE, {(): Way.SHELL})
    ran = subprocess.run(["/bin/sh", "-c", str(made)], check=True, capture_output=True, text=True)
    assert ran.stdout == HOSTILE


def test_b5_braces_are_the_kinds_own_only_where_the_author_wrote_them() -> None:
    value = {"a": "{key}", "b": "${attributes.key}", "c": "{${attributes.n}}", "d": "x {key}"}
    values = {"key": "{key}", "n": "key"}
    places: dict[Place, Way] = {(each,): Way.BRACES for each in value}
    made = resolve(value, lambda reference: values[reference.path[0]], places)
    assert made == {"a": "{key}", "b": "{{key}}", "c": "{{key}}", "d": "x {key}"}


def test_b5_what_has_places_of_its_own_is_brought_by_no_step() -> None:
    assert resolve("${parameters.n}", lookup, {(): Way.WHOLE}) == 5
    with pytest.raises(BadReference, match="no step says where a request goes"):
        resolve("${attributes.id}", lookup, {(): Way.WHOLE})


@pytest.mark.parametrize(
    "value",
    [
        "${parameters.a}" * 8000,
        ["${parameters.a}"] * 8000,
        {str(n): {"k": ["x ${parameters.a}"]} for n in range(8000)},
    ],
    ids=["text", "list", "nested"],
)
def test_c7_what_would_not_fit_is_refused_before_it_is_made(value: Any) -> None:
    given = {"a": "x" * 200_000}
    saga = Drive(workflow(step("big", parameters={"p": value}), parameters=given))
    why = saga.state("big").run_error or ""
    assert "would take 1,6" in why
    assert "1,048,576 (1 MiB) are allowed" in why
    assert "step 'big' failed" in saga.saga.head.cause
    assert saga.called() == []


@given(
    st.recursive(
        st.sampled_from(["${parameters.a}", 'x${attributes.b}\u00e9"', "$${parameters.a}", "p", 3]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=12,
    ),
    st.sampled_from(['é"\\\n', {"k": [1, None, "ü"]}, 7]),
)
def test_c7_what_is_counted_is_what_is_made(value: Any, found: Any) -> None:
    size = Measure(lambda _: found).size(value, {})
    assert size == len(msgspec.json.encode(resolve(value, lambda _: found)))


def test_c7_what_fits_exactly_is_made() -> None:
    assert resolve("${parameters.a}", lambda _: "x" * (MAX_RESOLVED - 2))
    with pytest.raises(BadReference, match="would take 1,048,577 bytes"):
        resolve("${parameters.a}", lambda _: "x" * (MAX_RESOLVED - 1))


def test_b6_what_is_stored_goes_on_quoted_and_history_warns(monkeypatch: Any) -> None:
    class Shell(Kind):
        def places(self, _parameters: dict[str, Any]) -> Mapping[Place, Way]:
            return {("run",): Way.SHELL}

    monkeypatch.setitem(KINDS, "plain", Shell())
    steps = (step("a"), step("b", "a", parameters={"run": "echo ${attributes.x}"}))
    saga = Drive(workflow(*steps))
    saga.report("a", done(x="; rm -rf ."))
    run = saga.flying["b"].parameters
    assert run == {"run": "WF_REFERENCE_1='; rm -rf .'; echo \"${WF_REFERENCE_1}\""}
    assert any("quoted variables" in each.reason for each in saga.history)
