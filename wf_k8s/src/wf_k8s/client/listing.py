"""Lists, page by page."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from wf_k8s.client.errors import GoneError
from wf_k8s.client.frames import ListPage, read_page
from wf_k8s.client.session import Session

PAGE = 500


async def pages(
    session: Session, path: str, selectors: Mapping[str, str]
) -> AsyncGenerator[ListPage, None]:
    """The pages of one consistent list; GoneError where the later ones grew too old."""
    more = ""
    while True:
        params = {"limit": str(PAGE), **selectors}
        if more:
            params["continue"] = more
        body = await session.request("GET", path, params=params)
        page = read_page(f"list {path}", body)
        yield page
        more = page.more
        if not more:
            return


async def read_all(
    session: Session, path: str, selectors: Mapping[str, str] | None = None
) -> list[bytes]:
    """All objects of a collection; begun anew where its pages grew too old."""
    while True:
        found: list[bytes] = []
        try:
            async with aclosing(pages(session, path, selectors or {})) as told:
                async for page in told:
                    found += page.items
            return found
        except GoneError:
            if not found:
                raise


async def read_one(session: Session, path: str, name: str) -> bytes | None:
    """One object by its name, or None. It is a list: the right to `get` is not needed then."""
    found = await read_all(session, path, {"fieldSelector": f"metadata.name={name}"})
    return found[0] if found else None
