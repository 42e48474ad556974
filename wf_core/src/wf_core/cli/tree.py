"""A workflow as a tree for the terminal: `render(stored, now)` gives something rich can print."""

from collections.abc import Sequence

import attrs
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from wf_core.cli.output import COLOURS
from wf_core.cli.settings import key_of
from wf_core.cli.steps import elapsed, note
from wf_core.cli.text import duration, one_line, plural
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.state import Stored
from wf_core.saga.graph import Graph

MARKS: dict[Phase, str] = {
    Phase.PENDING: "\N{MIDDLE DOT}",
    Phase.RUNNING: "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}",
    Phase.SUCCESS: "\N{CHECK MARK}",
    Phase.ROLLING_BACK: "\N{BLACK LEFT-POINTING SMALL TRIANGLE}",
    Phase.ROLL_BACKED: "\N{ANTICLOCKWISE OPEN CIRCLE ARROW}",
    Phase.FAILED: "\N{BALLOT X}",
}
_DEEPEST = 5  # levels; below that the tree would push its words off the screen
_GUIDE = 4  # columns that rich draws for a level
_FIRST_SHOWN = (
    Phase.FAILED,
    Phase.ROLLING_BACK,
    Phase.RUNNING,
    Phase.ROLL_BACKED,
    Phase.SUCCESS,
    Phase.PENDING,
)


def render(stored: Stored, now: float, lines: int = 50) -> RenderableType:
    """The workflow and its steps, each below the last step it waits for; at most about `lines`.

    A deep graph becomes a list in the order of running. Where there are too many steps, those that
    move are shown and the rest is counted.
    """
    graph = _Shape.of(stored)
    root = Tree(_title(stored, now), guide_style="bright_black")
    shown = _chosen(stored, graph.order, lines)
    if graph.depth > _DEEPEST or len(shown) < len(stored.steps):
        _add_list(root, stored, shown, now)
    else:
        _add_tree(root, stored, graph, now)
    return root


def render_all(all_stored: Sequence[Stored], now: float, lines: int) -> RenderableType:
    """Several workflows below each other, sharing the lines."""
    each = max(3, lines // max(1, len(all_stored)) - 1)
    shown = all_stored[: max(1, lines // 4)]
    parts = [render(stored, now, each) for stored in shown]
    if len(shown) < len(all_stored):
        parts.append(Text(f"... and {plural(len(all_stored) - len(shown), 'workflow')} more"))
    return Group(*parts)


@attrs.frozen
class _Shape:
    """`parents[i]` is the step that i hangs below, None for the root; `levels` counts from 0."""

    order: tuple[int, ...]
    parents: list[int | None]
    levels: list[int]

    @property
    def depth(self) -> int:
        return max(self.levels, default=0)

    @classmethod
    def of(cls, stored: Stored) -> "_Shape":
        graph = Graph.of(stored.workflow.spec.steps)
        parents: list[int | None] = [None] * len(graph.order)
        levels = [0] * len(graph.order)
        for i in graph.order:
            above = max(graph.upstream[i], key=lambda up: graph.position[up], default=None)
            parents[i] = above
            levels[i] = 0 if above is None else levels[above] + 1
        return cls(graph.order, parents, levels)


def _add_tree(root: Tree, stored: Stored, shape: _Shape, now: float) -> None:
    specs = stored.workflow.spec.steps
    width = max(
        (len(spec.name) + _GUIDE * level for spec, level in zip(specs, shape.levels, strict=True)),
        default=0,
    )
    nodes: dict[int, Tree] = {}
    for i in shape.order:
        above = shape.parents[i]
        node = root if above is None else nodes[above]
        nodes[i] = node.add(_line(stored, i, width - _GUIDE * shape.levels[i], now))


def _add_list(root: Tree, stored: Stored, shown: Sequence[int], now: float) -> None:
    specs = stored.workflow.spec.steps
    width = max((len(specs[i].name) for i in shown), default=0)
    for i in shown:
        root.add(_line(stored, i, width, now))
    hidden = len(stored.steps) - len(shown)
    if hidden:
        left = frozenset(range(len(stored.steps))).difference(shown)
        counts = {phase: sum(stored.steps[i].phase is phase for i in left) for phase in Phase}
        words = ", ".join(f"{n:,} {phase}" for phase, n in counts.items() if n)
        root.add(Text(f"... and {hidden:,} more: {words}", style="bright_black"))


def _chosen(stored: Stored, order: Sequence[int], lines: int) -> list[int]:
    """The steps that are shown, in the order of running: all, or those that matter most."""
    if len(order) <= lines:
        return list(order)
    rank = {phase: n for n, phase in enumerate(_FIRST_SHOWN)}
    first = sorted(
        order, key=lambda i: (stored.steps[i].blocked is None, rank[stored.steps[i].phase])
    )
    kept = frozenset(first[: max(1, lines - 1)])
    return [i for i in order if i in kept]


def _title(stored: Stored, now: float) -> Text:
    head = stored.head
    ended = head.reached.get(head.phase, now) if head.phase in FINISHED else now
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(str(key_of(stored.workflow)), style="bold")
    text.append("  ")
    text.append(head.phase, style=f"bold {COLOURS[head.phase]}")
    done = sum(step.phase in (Phase.SUCCESS, Phase.ROLL_BACKED) for step in stored.steps)
    text.append(f"  {done}/{len(stored.steps)}")
    began = head.reached.get(Phase.RUNNING)
    if began is not None:
        text.append(f"  {duration(ended - began)}")
    if head.suspended:
        text.append("  suspended", style="yellow")
    if head.cause and head.phase is not Phase.SUCCESS:
        text.append(f"  {one_line(head.cause)}", style="bright_black")
    return text


def _line(stored: Stored, i: int, width: int, now: float) -> Text:
    step, spec = stored.steps[i], stored.workflow.spec.steps[i]
    colour = "red" if step.failed and step.phase is Phase.RUNNING else COLOURS[step.phase]
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{MARKS[step.phase]} ", style=colour)
    text.append(spec.name.ljust(width))
    text.append(f"  {step.phase:<11}", style=colour)
    seconds = elapsed(step, now)
    text.append(f"  {'' if seconds is None else duration(seconds):>6}", style="bright_black")
    said = note(spec, step, now)
    if said:
        text.append(f"  {said}", style="red" if step.blocked is not None else "bright_black")
    return text
