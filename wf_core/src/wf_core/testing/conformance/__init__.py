"""The promises of a step kind, as tests that a plugin's own suite picks up (docs/plugins.md).

    class FolderWorld(World):
        kind = Folder

        def parameters(self): return {"path": str(self.folder / "made")}
        def effects(self): return list(self.folder.glob("made"))

    class TestFolder(Conformance):
        world_class = FolderWorld

Every hook is called in a process of its own, with what the engine would have saved and nothing
else; some of these processes are killed in the middle of the hook. Needs `wf-core[testing]`.
"""

try:
    import hypothesis  # noqa: F401
    import jsonschema  # type: ignore[import-untyped]  # noqa: F401
    import pytest  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"the conformance kit needs {error.name}: `pip install 'wf-core[testing]'`",
        name=error.name,
    ) from error

from wf_core.testing.conformance.contract import Conformance
from wf_core.testing.conformance.world import World

__all__ = ["Conformance", "World"]
