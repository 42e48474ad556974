"""What PEP 249 leaves to each driver, found out from the connection alone."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, Protocol, TypeVar

import attrs

from wf_core.kinds import Fatal

T = TypeVar("T")
Row = tuple[Any, ...]  # whatever the columns hold


class Connection(Protocol):
    """A DB-API 2.0 connection. `Any`, since every driver has types of its own."""

    def cursor(self) -> Any: ...

    def commit(self) -> Any: ...

    def rollback(self) -> Any: ...


@attrs.frozen
class Driver:
    """A connection, and how its driver wants to be spoken to."""

    connection: Connection
    module: ModuleType

    @property
    def error(self) -> type[Exception]:
        """The base of all that the driver raises."""
        found: type[Exception] = self.module.Error
        return found

    @property
    def integrity_error(self) -> type[Exception]:
        """What it raises where a key is there already."""
        found: type[Exception] = self.module.IntegrityError
        return found

    def change(self, statement: str, **values: object) -> int:
        """Execute a statement with parameters written `:name`; gives how many rows it touched."""
        return self._execute(statement, values, lambda cursor: int(cursor.rowcount))

    def read(self, statement: str, **values: object) -> Row | None:
        """Execute a query; gives its first row, whatever rows the connection is set to make."""
        return self._execute(statement, values, lambda cursor: _row(cursor.fetchone()))

    def _execute(self, statement: str, values: Mapping[str, object], take: Callable[[Any], T]) -> T:
        cursor = self.connection.cursor()
        try:
            if values:
                cursor.execute(*written(statement, values, self.module.paramstyle))
            else:
                cursor.execute(statement)
            return take(cursor)
        finally:
            cursor.close()


def driver_of(connection: Connection) -> Driver:
    """The driver of a connection. Raises Fatal where it is none of a DB-API 2.0 driver."""
    for name in _modules(type(connection)):
        module = sys.modules.get(name)
        if module is not None and all(hasattr(module, each) for each in _OF_A_DRIVER):
            return Driver(connection, module)
    kind = type(connection)
    raise Fatal(
        f"{kind.__module__}.{kind.__qualname__} is no connection of a DB-API 2.0 driver; "
        "give the barrier the driver's own connection, not what wraps it"
    )


def refuse_autocommit(connection: Connection) -> None:
    """Raise Fatal where every statement would be committed by itself."""
    if _autocommits(connection):
        raise Fatal(
            "the connection commits every statement by itself (autocommit), so that a crash "
            "could part the barrier's row from your own; open it without autocommit"
        )


def begin(driver: Driver) -> None:
    """Begin a transaction where the driver says that none is open.

    By default sqlite3 opens one before INSERT and its like only: not before SAVEPOINT, whose
    RELEASE would then commit.
    """
    if getattr(driver.connection, "in_transaction", None) is False:
        driver.change("BEGIN")


def written(
    statement: str, values: Mapping[str, object], paramstyle: str
) -> tuple[str, Mapping[str, object] | tuple[object, ...]]:
    """A statement with parameters `:name`, and its values, in a driver's style."""
    names = _PARAMETER.findall(statement)
    if paramstyle in ("named", "pyformat"):
        mark = r":\1" if paramstyle == "named" else r"%(\1)s"
        return _PARAMETER.sub(mark, statement), {name: values[name] for name in names}
    numbers: Iterator[int] = iter(range(1, len(names) + 1))
    marks: dict[str, Callable[[], str]] = {
        "qmark": lambda: "?",
        "format": lambda: "%s",
        "numeric": lambda: f":{next(numbers)}",
    }
    if paramstyle not in marks:
        raise Fatal(f"the driver's paramstyle '{paramstyle}' is none of PEP 249's")
    statement = _PARAMETER.sub(lambda _: marks[paramstyle](), statement)
    return statement, tuple(values[name] for name in names)


_PARAMETER = re.compile(r":([a-z_]+)")
_OF_A_DRIVER = ("paramstyle", "Error", "IntegrityError")


def _modules(kind: type) -> Iterator[str]:
    """The modules and packages that a class and its bases come from, the nearest first."""
    for each in kind.__mro__:
        name = each.__module__
        while name:
            yield name
            name = name.rpartition(".")[0]


def _autocommits(connection: Connection) -> bool:
    ask = getattr(connection, "get_autocommit", None)
    if callable(ask):
        return bool(ask())
    # sqlite3 calls it -1 where the older `isolation_level` decides; elsewhere it may be a method.
    if getattr(connection, "autocommit", None) is True:
        return True
    by_hand = getattr(connection, "isolation_level", "") is None
    return by_hand and getattr(connection, "in_transaction", None) is False


def _row(found: Any) -> Row | None:
    """A row as a tuple. A connection may be set to make dicts of rows."""
    if found is None:
        return None
    return tuple(found.values()) if isinstance(found, Mapping) else tuple(found)
