"""Plugins: found, screened, isolated from each other, and called (design section 5, semantics B10).

Nothing here imports a plugin before `load` or `Registry.of` is called, and the parameter machinery
comes in with the first parameters that are decoded.
"""

from wf_core.plugins.discovery import PluginInfo, Status
from wf_core.plugins.kinds import FieldInfo, LoadedKind
from wf_core.plugins.parameters.invalid import ParametersInvalid
from wf_core.plugins.registry import Registry, load

__all__ = [
    "FieldInfo",
    "LoadedKind",
    "ParametersInvalid",
    "PluginInfo",
    "Registry",
    "Status",
    "load",
]
