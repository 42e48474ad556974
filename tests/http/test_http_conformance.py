"""The kind `http` keeps the promises of a kind, with services that know a request by its key."""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.http.http_server import Peer, Request, answers, closes, hangs, serving

from wf_core.model.spec import Json
from wf_core.testing.conformance import Conformance, World
from wf_http.kind import Http

pytestmark = pytest.mark.slow


class Shop(World):
    """A service that makes orders, and deletes them by their id; its undo needs the answer."""

    kind = Http
    crash_points = 10

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._lock = threading.Lock()
        self._orders: dict[str, int] = {}
        self._deleted: set[int] = set()
        self._open = True
        self._stack = ExitStack()
        self._server = self._stack.enter_context(serving(self._answer))

    def parameters(self) -> Mapping[str, Json]:
        return {
            "run": {"url": self._server.url("/orders"), "timeoutSeconds": 5},
            "attributes": {"id": "/id"},
            "rollback": {"url": self._server.url("/orders/{id}"), "timeoutSeconds": 5},
        }

    def long_parameters(self) -> Mapping[str, Json] | None:
        run = {"url": self._server.url("/long"), "timeoutSeconds": 600}
        return {**self.parameters(), "run": run}

    def bad_parameters(self) -> Iterable[Mapping[str, Json]]:
        good = self.parameters()
        return [{**good, "run": {"url": "nowhere"}}, {**good, "run": {"url": "http://10.0.0.1/"}}]

    def effects(self) -> Collection[object]:
        return [key for key, number in self._orders.items() if number not in self._deleted]

    @contextmanager
    def away(self) -> Iterator[None]:
        self._open = False
        yield
        self._open = True

    def close(self) -> None:
        self._stack.close()

    def _answer(self, request: Request, peer: Peer) -> None:
        if not self._open:
            closes(request, peer)
        elif request.method == "DELETE":
            with self._lock:
                self._deleted.add(int(request.path.rpartition("/")[2]))
            answers(204)(request, peer)
        elif request.method == "GET":
            self._look(request, peer)
        else:
            number = self._order(request.headers["idempotency-key"])
            if number in self._deleted:
                answers(410)(request, peer)
            elif request.path == "/long":
                hangs(request, peer)
            else:
                self._made(number, request, peer)

    def _order(self, key: str) -> int:
        with self._lock:
            return self._orders.setdefault(key, len(self._orders) + 1)

    def _made(self, number: int, request: Request, peer: Peer) -> None:
        answers(201, {"id": number})(request, peer)

    def _look(self, request: Request, peer: Peer) -> None:
        answers(404)(request, peer)


class SlowShop(Shop):
    """One that answers 202, and says later what it made."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._done = False

    def finish(self) -> None:
        self._done = True

    def parameters(self) -> Mapping[str, Json]:
        done: dict[str, Any] = {"pointer": "/state", "values": ["done"]}
        return {**super().parameters(), "check": {"done": done}}

    def _made(self, number: int, request: Request, peer: Peer) -> None:
        where = f"location: /orders/{number}"
        answers(202, {"id": number}, where, "retry-after: 1")(request, peer)

    def _look(self, request: Request, peer: Peer) -> None:
        answers(200, {"state": "done" if self._done else "going"})(request, peer)


class TestHttp(Conformance):
    world_class = Shop


@pytest.mark.long
class TestHttpThatGoesOn(Conformance):
    world_class = SlowShop
