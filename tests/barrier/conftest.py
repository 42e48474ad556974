"""The databases that the barrier is tested on, each started when a test first needs it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.barrier import servers
from tests.barrier.bank import Bank
from tests.barrier.servers import Server
from tests.cluster.binaries import UnavailableError
from tests.cluster.fixtures import teller

INSTALLING = 600
"""Seconds that a test may take whose server has to be installed first."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """What needs a server takes seconds, and a machine on which it can be installed."""
    params = getattr(item, "callspec", None)
    if params is not None and {"postgres", "mariadb"} & set(map(str, params.params.values())):
        item.add_marker(pytest.mark.long)
        item.add_marker(pytest.mark.timeout(INSTALLING))


def start(server: AbstractContextManager[Server]) -> Iterator[Server]:
    try:
        running = server.__enter__()
    except UnavailableError as error:
        pytest.skip(str(error))
    try:
        yield running
    finally:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[Server]:
    yield from start(servers.postgres(teller(pytestconfig)))


@pytest.fixture(scope="session")
def mariadb(pytestconfig: pytest.Config) -> Iterator[Server]:
    yield from start(servers.mariadb(teller(pytestconfig)))


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two servers."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    """A bank on each database, in which ann has 100."""
    if request.param == "sqlite":
        address = f"sqlite:{tmp_path / 'bank.db'}"
    else:
        address = request.getfixturevalue(request.param).address
    with Bank(address) as bank:
        bank.open(ann=100)
        yield bank
