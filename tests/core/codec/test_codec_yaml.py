"""Reading YAML is safe and bounded, whoever wrote the file."""

import json

import pytest

from wf_core.codec.compose import MAX_DEPTH, MAX_DOCUMENT, parse
from wf_core.codec.nodes import Node
from wf_core.codec.shape import Found, plain
from wf_core.errors import DocumentInvalid
from wf_core.model.spec import Json


def value(text: str | bytes) -> Json:
    found = Found()
    read = plain(parse(text), "$", found)
    assert not found.faults
    return read


def refusal(text: str | bytes) -> str:
    with pytest.raises(DocumentInvalid) as caught:
        parse(text)
    assert len(caught.value.faults) == 1
    return str(caught.value)


def test_values_keep_their_type_and_quotes_make_text() -> None:
    read = value("a: 1\nb: '1'\nc: \"y\"\nd: [y, ~, 1.5]\ne: !!str 5\nf: ! 7\ng: !!int '12'\n")
    assert read == {
        "a": 1,
        "b": "1",
        "c": "y",
        "d": [True, None, 1.5],
        "e": "5",
        "f": "7",
        "g": 12,
    }


def test_json_is_read_with_its_escapes() -> None:
    document = {"text": 'a\u00e9\U0001f600"\\ud83d/', "n": [1, 2.5, None, True], "o": {"p": {}}}
    assert value(json.dumps(document)) == document
    assert value(json.dumps(document, indent="\t", ensure_ascii=False)) == document


def test_keys_become_text_as_in_json() -> None:
    assert value("1: a\n'y': b\n~x: c\n1.5: d\ntrue: e\n") == {
        "1": "a",
        "y": "b",
        "~x": "c",
        "1.5": "d",
        "true": "e",
    }


@pytest.mark.parametrize(
    ("key", "read"),
    [(word, "true") for word in ("y", "Yes", "on", "True")]
    + [(word, "false") for word in ("n", "No", "off")]
    + [("0x10", "16"), ("1e3", "1000"), ("08", "8")],
)
def test_c9_a_key_that_would_become_another_word_is_told(key: str, read: str) -> None:
    """As kubectl reads it; `env: {Y: a, N: b}` would set two variables that nobody named."""
    with pytest.raises(DocumentInvalid) as raised:
        value(f"env: {{{key}: a}}")
    assert str(raised.value).startswith(f"$: the key {key} is read as {read!r}; put it in quotes")
    assert value(f'env: {{"{key}": a}}') == {"env": {key: "a"}}


def test_aliases_and_merged_keys_are_read_and_own_keys_win() -> None:
    text = "base: &b {a: 1, b: 2}\nother: {b: 3, <<: *b, c: 4}\nlist: {<<: [{a: 9}, *b]}\n"
    read = value(text)
    assert read["other"] == {"b": 3, "c": 4, "a": 1}
    assert read["list"] == {"a": 9, "b": 2}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert value(b"\xef\xbb\xbfa: 1\n") == {"a": 1}


def test_empty_documents_around_the_only_one_are_passed_over() -> None:
    assert value("---\n# nothing\n---\na: 1\n---\n") == {"a": 1}


def test_a_node_knows_where_it_stands() -> None:
    root = parse("spec:\n  steps:\n  - name: a\n    a.b[0]: {c: 1}\n")
    assert root.locate("$.spec.steps[0].name") == (3, 11)
    assert root.locate("$.spec.steps[0].a.b[0].c") == (4, 17)
    assert root.locate("$.spec.steps[7].name") == (3, 3)
    assert root.locate("$.spec.steps.name") == (3, 3)
    assert root.locate("$.other") == (1, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "$: the document is empty; it must hold a Workflow"),
        ("# only a remark\n", "$: the document is empty; it must hold a Workflow"),
        ("---\n---\n", "$: the document is empty; it must hold a Workflow"),
        (
            "a: 1\n---\nb: 2\n",
            "$: the file holds two documents; write each into a file of its own (line 2, column 1)",
        ),
        (
            'a: "b\n',
            "$: the document is not YAML: found unexpected end of stream (line 2, column 1)",
        ),
        (
            "a: \x07\n",
            "$: the document is not YAML: control characters are not allowed",
        ),
        (b"\xff\xfe\x00", "$: the document is not UTF-8 text: invalid start byte"),
        ("\ud800", "$: the document is not UTF-8 text: surrogates not allowed"),
        (
            "a: 1\nb: 2\na: 3\n",
            "$: the key 'a' is given twice; first in line 1 (line 3, column 1)",
        ),
        ("1: 1\n'1': 2\n", "$: the key '1' is given twice; first in line 1 (line 2, column 1)"),
        ("~: 1\n", "$: a key must not be null (line 1, column 1)"),
        ("? [a]\n: 1\n", "$: a key must be text, not a mapping or a list (line 1, column 3)"),
        ("a: &a [*a]\n", "$: the anchor '&a' holds itself (line 1, column 8)"),
        ("a: *b\n", "$: no anchor '&b' stands before this alias (line 1, column 4)"),
        ("a: {<<: 1}\n", "$: '<<' takes a mapping or a list of mappings (line 1, column 9)"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "$: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not supported"
            " (line 1, column 4)",
        ),
        ("a: !secret x\n", "$: the tag '!secret' is not supported (line 1, column 4)"),
        ("a: !!int x\n", "$: 'x' is no int (line 1, column 4)"),
        ("a: !!binary '/w=='\n", "$: !!binary does not hold text (line 1, column 4)"),
    ],
)
def test_what_can_not_be_read_is_one_clear_sentence(text: str | bytes, message: str) -> None:
    assert refusal(text) == message


def test_a_document_beyond_the_limit_is_refused_before_it_is_parsed() -> None:
    assert refusal("[" * (MAX_DOCUMENT + 1)) == (
        "$: the document has 1,572,865 bytes; at most 1,572,864 (1.5 MiB) are read"
    )


def test_deep_nesting_is_refused_and_the_depth_just_below_is_read() -> None:
    assert refusal("[" * 500) == "$: the document is nested more than 64 deep (line 1, column 65)"
    assert "nest" in refusal("[" * 1_000_000)  # the parser may be the first to refuse it
    assert value("[" * MAX_DEPTH + "]" * MAX_DEPTH)


def test_deep_nesting_by_way_of_aliases_is_refused() -> None:
    half = MAX_DEPTH // 2 + 1
    text = f"- &a {'[' * half}{']' * half}\n- {'[' * half}*a{']' * half}\n"
    assert "nested more than 64 deep" in refusal(text)


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert refusal("\n".join(lines)) == (
        "$: its aliases stand for more than 100,000 values (line 5, column 45)"
    )


def test_words_for_what_stands_where_something_else_was_expected() -> None:
    assert parse("{a: 1}").describe() == "a mapping"
    assert parse("[1]").describe() == "a list"
    assert Node(1, 1).describe() == "null"
    assert parse("y").describe() == "the boolean true"
    assert parse("1e3").describe() == "the number 1000"
    assert parse("x" * 100).describe() == f"the text '{'x' * 57}...'"
