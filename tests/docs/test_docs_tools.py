"""How a page is read: which block is what, and when output is what the page shows."""

import pytest
from tests.docs.commands import Command, commands, same
from tests.docs.page_run import Site, run
from tests.docs.pages import ROOT, Block, Page, Where, blocks


def page(text: str) -> Page:
    return Page(ROOT / "README.md", tuple(blocks(text)))


def test_a_block_has_its_language_its_title_and_its_line() -> None:
    (block,) = blocks('Text.\n\n```yaml title="a/b.yaml"\na: 1\n```\n')
    assert block == Block(3, "yaml", "a: 1\n", "a/b.yaml")


def test_a_block_in_a_list_loses_the_indent_of_the_list() -> None:
    (block,) = blocks("1. So:\n   ```sh\n   ls\n     more\n   ```\n")
    assert block.text == "ls\n  more\n"


def test_a_block_in_a_longer_fence_is_text_of_that_one() -> None:
    (block,) = blocks("````markdown\n```sh\nls\n```\n````\n")
    assert block.text == "```sh\nls\n```\n"


def test_a_comment_says_where_the_next_block_runs_and_no_other() -> None:
    first, second = blocks("<!-- runs: never: costs money -->\n```sh\na\n```\n\n```sh\nb\n```\n")
    assert (first.where, first.why, second.where) == (Where.NEVER, "costs money", Where.HERE)


def test_what_is_needed_before_a_block_runs_where_the_block_does() -> None:
    hidden, shown = blocks(
        "<!-- runs: cluster -->\n<!-- before:\nmake x\nmake y\n-->\n```sh\na\n```\n"
    )
    assert (hidden.text, hidden.where, shown.where) == (
        "make x\nmake y",
        Where.CLUSTER,
        Where.CLUSTER,
    )


def test_a_block_without_an_end_is_a_fault() -> None:
    with pytest.raises(ValueError, match="line 1 has no end"):
        list(blocks("```sh\nls\n"))


def test_lines_without_a_prompt_are_output_where_there_are_prompts() -> None:
    assert commands("$ a\n1\n2\n\n$ b\n") == [Command("a", ("1", "2")), Command("b", ())]


def test_without_prompts_each_line_is_a_command_but_for_those_that_go_on() -> None:
    assert [each.text for each in commands("a \\\n b\nc 'd\ne'\nif f; then\n g\nfi\n")] == [
        "a \\\n b",
        "c 'd\ne'",
        "if f; then\n g\nfi",
    ]


def test_a_comment_gives_the_exit_code_that_is_expected() -> None:
    assert [each.code for each in commands("a\nb  # so it goes: exit code 3\n")] == [0, 3]


def test_a_page_that_shows_the_exit_code_expects_that_one() -> None:
    assert commands("$ false\n$ echo $?\n1\n")[0].code is None


@pytest.mark.parametrize(
    ("shown", "came", "equal"),
    [
        ("a|b", "a|b", True),
        ("a|b", "a|b|c", False),
        ("a|...", "a|b|c", True),
        ("...|c", "a|b|c", True),
        ("a|...|c", "a|c", True),
        ("a|...|c", "a|b", False),
        ("a|...|b|...|c", "a|x|b|y|c", True),
        ("a|...|b|...|c", "a|x|y|c", False),
        ("took 1.8s at 12:00:01", "took 12.5s  at 23:59:59", True),
        ("took 1.8s", "took 1m05s", True),
        ("took 1.8s", "took a while", False),
    ],
)
def test_output_is_compared_but_for_times_and_what_is_left_out(
    shown: str, came: str, equal: bool
) -> None:
    assert same(tuple(shown.split("|")), came.split("|")) is equal


def run_here(text: str, site: Site) -> list[str]:
    return run(page(text), lambda block: block.where is Where.HERE, site)


def test_a_page_that_is_right_has_no_fault(site: Site) -> None:
    text = """
```sh title="say.sh"
#!/bin/sh
echo "$1"
```

```console
$ ./say.sh hello
hello
$ false
$ echo $?
1
```
"""
    assert run_here(text, site) == []


def test_what_came_is_told_where_the_page_shows_something_else(site: Site) -> None:
    (fault,) = run_here("```console\n$ echo no\nyes\n```\n", site)
    assert fault == "README.md:1: `echo no` does not show what the page says, but:\nno"


def test_a_command_that_fails_is_told(site: Site) -> None:
    (fault,) = run_here("```sh\nls nowhere\n```\n", site)
    assert fault.startswith("README.md:1: `ls nowhere` ended with 2, not 0:\nls: cannot access")


def test_a_command_that_ends_the_shell_is_told(site: Site) -> None:
    (fault,) = run_here("```sh\nexit 0\ntrue\n```\n", site)
    assert fault.startswith("README.md:1: `exit 0` did not end")


def test_a_program_runs_where_it_stands(site: Site) -> None:
    text = "```python\nopen('made', 'w').close()\n```\n\n```console\n$ ls made\nmade\n```\n"
    assert run_here(text, site) == []
