"""Brings into the site what lies beside docs: the plugins' own pages, and files that pages link to.

A link says the same in the repository and on the site: `../examples/pods.yaml` leads to the file
here, and there to a page that shows it. mkdocs calls what is named `on_...`.
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PLUGIN_PAGES = "plugins/*/README.md"
DECISIONS = "decisions/"
REST = "*"
"""What the navigation calls the pages of docs that it does not name."""
SHOWN = "source"
"""The folder of the site in which files of the repository are shown."""
LANGUAGES = {"": "text", ".yml": "yaml", ".md": "markdown", ".py": "python"}
LINK = re.compile(r"(?<=\]\()(?!\w+:|/|#)([^)#\s]+)")
FENCE = re.compile(r"^\s*(?:```|~~~)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that a folder, or `*`, stands for in its place."""
    nav = config.nav or []
    named = set(_named(nav))

    def rest(entry: str) -> list[str]:
        pages = _pages(entry)
        return [entry] if pages is None else [page for page in pages if page not in named]

    config.nav = list(_spread(nav, rest))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the plugins' pages, and a page for each file of the repository that a page links to."""
    for path in _plugin_pages():
        files.append(File.generated(config, _site_path(path), abs_src_path=str(ROOT / path)))
    for target in sorted({t for file in files.documentation_pages() for t in _linked(file)}):
        if _site_path(target) in files.src_uris:
            continue
        if not (ROOT / target).is_file():
            raise PluginError(f"a page links to {target}, which is no file")
        files.append(File.generated(config, _site_path(target), content=_shown(target)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn each link that leaves docs into one to the page of the site that stands for it."""
    if page.file.src_uri.startswith(f"{SHOWN}/"):
        return markdown
    own = _repository_path(page.file)
    here = posixpath.dirname(page.file.src_uri)

    def turn(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(own), link[1]))
        return posixpath.relpath(_site_path(target), here or ".")

    return "\n".join(LINK.sub(turn, line) if prose else line for line, prose in _lines(markdown))


def _named(entries: Iterable[Any]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, dict):
            ((_, below),) = entry.items()
            yield from _named([below] if isinstance(below, str) else below)
        else:
            yield entry


def _spread(entries: Iterable[Any], rest: Callable[[str], list[str]]) -> Iterator[Any]:
    for entry in entries:
        if isinstance(entry, dict):
            ((title, below),) = entry.items()
            yield {title: below if isinstance(below, str) else list(_spread(below, rest))}
        else:
            yield from rest(entry)


def _pages(entry: str) -> list[str] | None:
    """The pages that an entry of the navigation stands for; None where it is one itself."""
    if entry == "plugins/":
        return [_site_path(path) for path in _plugin_pages()]
    if entry not in (REST, DECISIONS):
        return None
    docs = ROOT / "docs"
    folder = docs if entry == REST else docs / entry
    # A README is the page of its folder itself.
    pages = sorted(folder.glob("*.md"), key=lambda page: (page.stem != "README", page.name))
    return [page.relative_to(docs).as_posix() for page in pages]


def _plugin_pages() -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(PLUGIN_PAGES))


def _site_path(path: str) -> str:
    """Where a file of the repository is found on the site."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if Path(path).match(PLUGIN_PAGES):
        return f"plugins/{Path(path).parent.name}.md"
    return f"{SHOWN}/{path}.md"


def _repository_path(file: File) -> str:
    return Path(str(file.abs_src_path)).relative_to(ROOT).as_posix()


def _linked(file: File) -> Iterator[str]:
    """What a page links to that is not part of docs, as paths from the root."""
    own = _repository_path(file)
    for line, prose in _lines(file.content_string):
        for link in LINK.findall(line) if prose else ():
            target = posixpath.normpath(posixpath.join(posixpath.dirname(own), link))
            if not target.startswith("docs/"):
                yield target


def _lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is prose: what stands in a block of code has no links."""
    inside = False
    for line in markdown.splitlines():
        fence = FENCE.match(line) is not None
        inside ^= fence
        yield line, not (inside or fence)


def _shown(path: str) -> str:
    text = (ROOT / path).read_text(encoding="utf-8")
    suffix = Path(path).suffix
    language = LANGUAGES.get(suffix, suffix.removeprefix("."))
    head = f"---\ntitle: {path}\nsearch: {{exclude: true}}\n---\n# {path}\n\n"
    return f"{head}````{language}\n{text.rstrip()}\n````\n"
