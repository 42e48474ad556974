"""Commands in running text exist, with the options that they are given."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from tests.docs.pages import Page, every_page

from wf_core.cli.app import cli
from wf_k8s.cli.kubectl import EVERYWHERE, VALUED

INLINE = re.compile(r"`((?:kubectl )?wf [^`]+)`")
PAGES = every_page()


def _mentions(page: Page) -> Iterator[str]:
    text = re.sub(r"^ *```.*?^ *```", "", page.path.read_text(), flags=re.MULTILINE | re.DOTALL)
    yield from dict.fromkeys(INLINE.findall(text))


def _strange(mention: str) -> str | None:
    """What there is not in `wf COMMAND ...`."""
    words = shlex.split(mention.removeprefix("kubectl ").partition("|")[0])[1:]
    kubectls_own = (*VALUED, *EVERYWHERE) if mention.startswith("kubectl ") else ()
    command: click.Command = cli
    context = click.Context(cli, info_name="wf")
    for word in words:
        if word.startswith("-"):
            name = word.partition("=")[0]
            known = {
                option for each in command.params for option in (*each.opts, *each.secondary_opts)
            }
            if name not in {*known, *kubectls_own, "-h", "--help"}:
                return f"no option {name}"
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                # A placeholder such as COMMAND, or dots.
                return None if not word.islower() else f"no command {word}"
            command = found
    return None


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_commands_in_the_text_exist(page: Page) -> None:
    strange = {each: why for each in _mentions(page) if (why := _strange(each))}
    assert not strange
