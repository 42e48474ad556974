"""The receiver that docs/callbacks.md shows, and what somebody sends who has seen a callback."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import attrs
import pytest
from tests.docs.pages import ROOT, blocks

from wf_core.callbacks.signature import Master, Signer

OURS, THEIRS = Master(b"ours", undivided=False), Master(b"theirs", undivided=False)


@attrs.define
class Site:
    """The receiver, and what it did."""

    port: int
    did: list[tuple[object, ...]]
    fails: bool = False

    def do(self, *words: object) -> None:
        """In the place of `print`."""
        time.sleep(0.01)
        if self.fails:
            raise OSError("the disk is full")
        self.did.append(words)

    def post(self, content: bytes, headers: dict[str, str]) -> int | None:
        """What it answers; None where it breaks off."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.putrequest("POST", "/")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(content)
            return connection.getresponse().status
        except http.client.BadStatusLine:
            return None
        finally:
            connection.close()

    def callback(
        self,
        number: int = 1,
        *,
        uid: str = "uid-1",
        namespace: str = "default",
        key_of: str = "default",
        master: Master = OURS,
        ago: float = 0.0,
        **headers: str,
    ) -> int | None:
        """Send one that is signed with the key of the namespace `key_of`; `headers` replace its
        own."""
        event = {
            "eventId": f"{uid}/{number}",
            "type": "workflow.Success",
            "namespace": namespace,
            "name": uid,
            "step": None,
        }
        content = json.dumps(event).encode()
        signed = Signer([master]).headers(key_of, f"{uid}/{number}", content, time.time() - ago)
        replaced = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post(content, {"content-length": str(len(content)), **signed, **replaced})


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    (shown,) = (
        block.text
        for block in blocks((ROOT / "docs/callbacks.md").read_text())
        if block.title == "receiver.py"
    )
    (tmp_path / "receiver-key").write_text(OURS.shown_key("default") + "\n")
    monkeypatch.chdir(tmp_path)
    site = Site(0, [])
    program: dict[str, Any] = {"__name__": "receiver", "print": site.do}
    exec(compile(shown, "receiver.py", "exec"), program)
    with ThreadingHTTPServer(("127.0.0.1", 0), program["Receiver"]) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        site.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        yield site
        server.shutdown()


def test_what_is_sent_again_or_in_another_order_is_passed_over(receiver: Site) -> None:
    for number in (1, 2, 2, 1, 3, 2, 3):
        assert receiver.callback(number) == 204
    assert receiver.callback(1, uid="uid-2") == 204
    assert [name for _, name, _ in receiver.did] == ["uid-1"] * 3 + ["uid-2"]


def test_what_comes_many_times_at_once_is_done_once(receiver: Site) -> None:
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda _: receiver.callback(), range(32)))
    assert set(answers) == {204}
    assert len(receiver.did) == 1


def test_what_could_not_be_done_is_done_when_it_comes_again(receiver: Site) -> None:
    receiver.fails = True
    assert receiver.callback() is None
    receiver.fails = False
    assert receiver.callback() == 204
    assert len(receiver.did) == 1


@pytest.mark.parametrize(
    ("send", "answer"),
    [
        (lambda site: site.callback(ago=360), 401),
        (lambda site: site.callback(ago=-360), 401),
        (lambda site: site.callback(ago=360, webhook_timestamp=str(int(time.time()))), 401),
        (lambda site: site.callback(webhook_timestamp="nan"), 401),
        (lambda site: site.callback(webhook_id="uid-1/2"), 401),
        (lambda site: site.callback(webhook_signature="v1"), 401),
        (lambda site: site.callback(webhook_signature="v1,a"), 401),
        (lambda site: site.callback(key_of="shop"), 401),
        (lambda site: site.callback(namespace="shop", key_of="shop"), 401),
        (lambda site: site.callback(namespace="shop"), 403),
        (lambda site: site.callback(master=THEIRS), 401),
        (lambda site: site.post(b"\xff{}", {"content-length": "3"}), 401),
        (lambda site: site.post(b"", {}), 413),
        (lambda site: site.post(b"", {"content-length": "-1"}), 413),
        (lambda site: site.post(b"", {"content-length": "9" * 5000}), 413),
        (lambda site: site.post(b"", {"content-length": "999999999"}), 413),
    ],
)
def test_what_was_not_signed_as_it_comes_is_refused(
    receiver: Site, send: Callable[[Site], int | None], answer: int
) -> None:
    assert send(receiver) == answer
    assert receiver.did == []
