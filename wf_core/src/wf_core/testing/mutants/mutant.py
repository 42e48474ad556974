"""What a mutant is, and how one is applied: an edit of a function's source, compiled into the
function that everybody has imported already."""

import __future__

import ast
import contextlib
import importlib
import inspect
import json
import textwrap
from collections.abc import Iterator, Sequence
from types import CodeType, FunctionType

import attrs


class Stale(Exception):  # noqa: N818
    """The text that an edit replaces is not there: the code has changed, and so must the mutant."""


@attrs.frozen
class Edit:
    """`before` becomes `after` in `target`, which is `module:function`, `module:Class.method` or
    a constant text of a module. `before` must stand there exactly once."""

    target: str
    before: str
    after: str


@attrs.frozen
class Mutant:
    """A deliberate fault. `breaks` says what is wrong with it, for people.

    `suite` are the tests that catch it (paths from the root of the repository) where the simulation
    can't, since what it breaks stands outside virtual time.
    """

    name: str
    breaks: str
    edits: tuple[Edit, ...]
    suite: tuple[str, ...] = ()


def to_text(mutant: Mutant) -> str:
    """What another process is told of a mutant."""
    return json.dumps(attrs.asdict(mutant))


def from_text(text: str) -> Mutant:
    """What `to_text` wrote."""
    told = json.loads(text)
    edits = tuple(Edit(**edit) for edit in told["edits"])
    return Mutant(told["name"], told["breaks"], edits, tuple(told["suite"]))


@contextlib.contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """Let the mutant live within the block. Raises `Stale` where an edit does not fit the code."""
    by_target: dict[str, list[Edit]] = {}
    for edit in mutant.edits:
        by_target.setdefault(edit.target, []).append(edit)
    with contextlib.ExitStack() as stack:
        for target, edits in by_target.items():
            stack.enter_context(_edited(target, edits))
        yield


@contextlib.contextmanager
def _edited(target: str, edits: Sequence[Edit]) -> Iterator[None]:
    owner, name, found = _find(target)
    if isinstance(found, str):
        setattr(owner, name, _replaced(edits, found))
        try:
            yield
        finally:
            setattr(owner, name, found)
        return
    if not isinstance(found, FunctionType):
        raise Stale(f"{target} is neither a function nor a text")
    original = found.__code__
    # The code of the function itself: whoever imported it by name has the mutant too.
    found.__code__ = _compiled(target, edits, found)
    try:
        yield
    finally:
        found.__code__ = original


def _find(target: str) -> tuple[object, str, object]:
    module, _, path = target.partition(":")
    owner: object = importlib.import_module(module)
    found, name = owner, ""
    for name in path.split("."):
        owner = found
        try:
            found = inspect.getattr_static(owner, name)
        except AttributeError as error:
            raise Stale(f"{target}: {error}") from error
    if isinstance(found, property):
        found = found.fget
    return owner, name, inspect.unwrap(found) if callable(found) else found


def _compiled(target: str, edits: Sequence[Edit], function: FunctionType) -> CodeType:
    source = _replaced(edits, textwrap.dedent(inspect.getsource(function)))
    tree = ast.parse(source)
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        raise Stale(f"{target} is not defined by a `def`")
    definition.decorator_list = []
    ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
    flags = __future__.annotations.compiler_flag
    whole = compile(tree, function.__code__.co_filename, "exec", flags, dont_inherit=True)
    # From Python 3.14 on a function's annotations are code as well.
    codes = (each for each in whole.co_consts if isinstance(each, CodeType))
    code = next(each for each in codes if each.co_name == definition.name)
    if code.co_freevars != function.__code__.co_freevars:
        raise Stale(f"{target} closes over other names than its mutant")
    return code


def _replaced(edits: Sequence[Edit], text: str) -> str:
    for edit in edits:
        count = text.count(edit.before)
        if count != 1:
            raise Stale(f"{edit.target} has {edit.before!r} {count} times, not once")
        text = text.replace(edit.before, edit.after)
    return text
