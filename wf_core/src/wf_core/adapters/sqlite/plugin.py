"""How the engine finds this store: the URL `sqlite:PATH`."""

from typing import TYPE_CHECKING

from wf_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from wf_core.ports import Store


@hookimpl
def wf_open_store(url: str, create: bool) -> "Store | None":
    """Open `sqlite:PATH`; `~` is the home folder. Other schemes are not ours."""
    scheme, _, rest = url.partition(":")
    if scheme != "sqlite":
        return None
    from pathlib import Path

    from wf_core.adapters.sqlite.store import SqliteStore
    from wf_core.errors import StoreUnavailable

    if not rest:
        raise StoreUnavailable("the store 'sqlite:' names no file; write it as `sqlite:PATH`")
    try:
        path = Path(rest).expanduser().absolute()
    except FileNotFoundError as error:
        raise StoreUnavailable(
            f"the store 'sqlite:{rest}' is named from the current folder, which no longer exists; "
            "change to one that does, or write the whole path"
        ) from error
    return SqliteStore.open(path, create=create)
