"""A connection to a database of the tests, from its address: in this process or in another."""

import importlib
from typing import Any


def connect(address: str) -> Any:  # the driver's own type
    """A connection without autocommit. Closing it is the caller's."""
    scheme, _, rest = address.partition(":")
    driver = importlib.import_module(_DRIVERS[scheme])
    if scheme == "sqlite":
        return driver.connect(rest, timeout=20.0)
    if scheme == "postgres":
        return driver.connect(host=rest, user="wf", dbname="postgres")
    return driver.connect(unix_socket=rest, user="root", database="wf", charset="utf8mb4")


def errors_of(address: str) -> type[Exception]:
    """What its driver raises where the server does not answer."""
    found: type[Exception] = importlib.import_module(
        _DRIVERS[address.partition(":")[0]]
    ).OperationalError
    return found


_DRIVERS = {"sqlite": "sqlite3", "postgres": "psycopg", "mariadb": "pymysql"}
