"""YAML text -> plain mappings, lists and texts, with the place of each; keys must not repeat.

Scalars stay text: the field they stand in says what they mean, and no rule of YAML's turns `1:30`
into 90 or `1e3` into text first.
"""

import attrs
import yaml

from wf_core.errors import Fault

Plain = None | str | list["Plain"] | dict[str, "Plain"]

_CORE = "tag:yaml.org,2002:"
_NULL = f"{_CORE}null"


@attrs.define
class Reading:
    """What was read: `value`, where its parts are (path -> line and column from 1), and faults."""

    value: Plain = None
    places: dict[str, tuple[int, int]] = attrs.field(factory=dict)
    faults: list[Fault] = attrs.field(factory=list)

    def fault(self, path: str, message: str, hint: str = "") -> None:
        """Note a fault at a path, or at the nearest part around it that the text has."""
        around = path
        while around not in self.places and (cut := max(around.rfind("."), around.rfind("["))) > 0:
            around = around[:cut]
        line, column = self.places.get(around, (None, None))
        self.faults.append(Fault(path, message, line, column, hint))


def read(text: str) -> Reading:
    """Read one YAML document; what is wrong with it is in `faults`."""
    reading = Reading()
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        problem = f"is not YAML: {error.problem or error.context}"
        reading.faults.append(Fault("$", problem, *place))
    except yaml.YAMLError as error:
        reading.faults.append(Fault("$", f"is not YAML: {' '.join(str(error).split())}"))
    else:
        if node is not None:
            reading.value = _plain(node, "$", reading, ())
    return reading


def _plain(node: yaml.Node, path: str, reading: Reading, around: tuple[int, ...]) -> Plain:
    reading.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if id(node) in around:
        reading.fault(path, "an alias stands inside what it names")
        return None
    if not node.tag.startswith(_CORE):
        reading.fault(path, f"has the tag {node.tag}, which means nothing here; leave it out")
    inside = (*around, id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, reading, inside)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, f"{path}[{i}]", reading, inside) for i, item in enumerate(node.value)]
    return None if node.tag == _NULL else str(node.value)


def _mapping(
    node: yaml.MappingNode, path: str, reading: Reading, around: tuple[int, ...]
) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            reading.fault(path, "has a key that is no plain text")
            continue
        inner = f"{path}.{key.value}"
        if key.value in found:
            where = reading.places[inner][0]
            reading.places[inner] = (key.start_mark.line + 1, key.start_mark.column + 1)
            reading.fault(inner, f"stands here again; the first is in line {where}")
            continue
        found[key.value] = _plain(value, inner, reading, around)
        reading.places[inner] = (key.start_mark.line + 1, key.start_mark.column + 1)
    return found
