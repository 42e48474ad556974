"""Every block of code that people read is right: it is run, or read by what would read it."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from tests.docs import yaml_blocks
from tests.docs.page_run import Site, run
from tests.docs.pages import SHELLS, Block, Page, Where, every_page

PAGES = every_page()
READ = {"yaml", "json", "toml", "dockerfile", "python", "text", *SHELLS}
"""The languages that something here reads; `text` is output that stands by itself."""
INSTRUCTION = re.compile(r"(FROM|USER|RUN|COPY|ARG|ENV|WORKDIR|ENTRYPOINT|LABEL) \S")


def _all(*languages: str) -> list[tuple[Page, Block]]:
    return [(page, block) for page in PAGES for block in page.blocks if block.language in languages]


def _here(block: Block) -> bool:
    return block.where is Where.HERE


RUN_HERE = [
    page
    for page in PAGES
    if any(_here(b) and (b.is_shell or b.language == "python") for b in page.blocks)
]


def test_every_block_says_what_it_is() -> None:
    unread = {
        f"{page.at(block)}: {block.language or 'no language'}"
        for page in PAGES
        for block in page.blocks
        if block.language not in READ
    }
    assert not unread


@pytest.mark.parametrize(
    ("page", "block"),
    [
        pytest.param(page, block, id=page.at(block))
        for page in PAGES
        for block in page.blocks
        if block.where in (Where.NEVER, Where.NODE)
    ],
)
def test_what_does_not_run_says_why(page: Page, block: Block) -> None:
    """Skipped, so that the summary lists all of them."""
    assert block.why, page.at(block)
    pytest.skip(f"{page.at(block)} runs {block.where}: {block.why}")


@pytest.mark.parametrize(
    ("page", "block"), [pytest.param(p, b, id=p.at(b)) for p, b in _all("yaml")]
)
def test_yaml_is_accepted_by_what_reads_it(
    page: Page, block: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = list(yaml_blocks.faults(block.text, block.title, tmp_path))
    assert not found, f"{page.at(block)}: {found}\n{capsys.readouterr().err}"


def test_other_data_can_be_read() -> None:
    for _, block in _all("json"):
        json.loads(block.text)
    for _, block in _all("toml"):
        tomllib.loads(block.text)


def test_an_image_of_ones_own_is_built_by_instructions_that_there_are() -> None:
    for page, block in _all("dockerfile"):
        strange = [line for line in block.text.splitlines() if not INSTRUCTION.match(line)]
        assert not strange, page.at(block)


@pytest.mark.slow
@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in RUN_HERE])
def test_commands_and_programs_do_what_the_page_shows(page: Page, site: Site) -> None:
    found = run(page, _here, site)
    assert not found, "\n\n".join(found)
