"""How the engine finds this store: the URL `memory:`, or `memory:NAME` to share one by name."""

from typing import TYPE_CHECKING

from wf_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from wf_core.ports import Store


@hookimpl
def wf_open_store(url: str) -> "Store | None":
    """`memory:` is a new one; `memory:NAME` is shared by all of this process that name it."""
    scheme, _, name = url.partition(":")
    if scheme != "memory":
        return None
    from wf_core.adapters.memory.backing import Backing, named
    from wf_core.adapters.memory.store import MemoryStore

    return MemoryStore(named(name) if name else Backing())
