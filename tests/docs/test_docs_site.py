"""The site is built without a fault, holds every page, and needs nothing from elsewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.docs.pages import ROOT

FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Fetched(HTMLParser):
    """What a browser asks for when it shows a page, and how often it would draw a diagram."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.diagrams = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get(FETCHED.get(tag, ""))
        if address:
            self.addresses.append(address)
        self.diagrams += "mermaid" in (given.get("class") or "").split()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make site` does."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_every_page_of_the_docs_is_on_the_site(site: Path) -> None:
    pages = list((ROOT / "docs").rglob("*.md"))
    plugins = [p.parent.name for p in ROOT.glob("plugins/*/README.md")]
    wanted = {
        str(p.relative_to(ROOT / "docs").with_suffix(".html")).replace("README", "index")
        for p in pages
    } | {f"plugins/{name}.html" for name in plugins}
    assert {str(p.relative_to(site)) for p in site.rglob("*.html")} >= wanted


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = Fetched()
        fetched.feed(page.read_text(encoding="utf-8"))
        strange = [each for each in fetched.addresses if re.match(r"(\w+:)?//", each)]
        assert not strange, page.name
        # The theme would fetch what draws them.
        assert fetched.diagrams == 0, page.name


def test_the_search_knows_the_pages(site: Path) -> None:
    index = (site / "search/search_index.json").read_text(encoding="utf-8")
    assert all(name in index for name in ("tutorial.html", "cli.html", "kinds.html"))
    assert "source/examples" not in index


def test_a_link_out_of_the_docs_leads_to_the_file_itself(site: Path) -> None:
    page = (site / "pods.html").read_text(encoding="utf-8")
    assert 'href="source/examples/pods.yaml.html"' in page
    assert "WF_ATTR_SHELF" in (site / "source/examples/pods.yaml.html").read_text(encoding="utf-8")


def test_nothing_but_the_docs_is_published(site: Path) -> None:
    assert not [p for p in site.rglob("*") if p.suffix in (".py", ".pyc")]
