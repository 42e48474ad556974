"""What the sender does with receivers on real sockets, well-behaved and not."""

import asyncio
import base64
import hmac
import logging
import socket
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.core.callbacks.receiver import (
    Behaviour,
    Receiver,
    Request,
    answers,
    babbles,
    closes,
    hangs,
    receiving,
    stalls,
    talks_nonsense,
)
from tests.core.callbacks.sending import BODY, delivery, exchange, floods, refused, sender

from wf_core.adapters.clock import SystemClock
from wf_core.callbacks import HttpSender
from wf_core.callbacks.signature import Master
from wf_core.config import CallbackConfig, Config
from wf_core.errors import ConfigInvalid
from wf_core.ports import Delivered, Receipt

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_f_a_callback_is_a_post_of_json() -> None:
    [receipt], receiver = exchange(answers(200))
    assert receipt == Receipt(Delivered.DELIVERED)
    [request] = receiver.got
    assert request.line == "POST /hook HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.json == BODY


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Delivered.DELIVERED),
        (204, Delivered.DELIVERED),
        (301, Delivered.DROPPED),
        (400, Delivered.DROPPED),
        (401, Delivered.DROPPED),
        (404, Delivered.DELIVERED),
        (408, Delivered.RETRY),
        (410, Delivered.DROPPED),
        (425, Delivered.RETRY),
        (429, Delivered.RETRY),
        (500, Delivered.RETRY),
        (503, Delivered.RETRY),
    ],
)
def test_f_the_status_decides(status: int, result: Delivered) -> None:
    [receipt], _ = exchange(answers(status))
    assert receipt.result is result
    assert (str(status) in receipt.error) is (result is not Delivered.DELIVERED)


def test_f_not_found_is_dropped_unless_it_is_ignored() -> None:
    [receipt], _ = exchange(answers(404), ignore_not_found=False)
    assert receipt == Receipt(Delivered.DROPPED, "the receiver answered 404 Not Found")


def test_f_500_then_200_is_retried_then_delivered() -> None:
    receipts, receiver = exchange(answers(500), answers(200), times=2)
    assert [receipt.result for receipt in receipts] == [Delivered.RETRY, Delivered.DELIVERED]
    assert receiver.connections == 1, "a short answer is read, so the connection serves again"


def test_f_retry_after_is_passed_on() -> None:
    [receipt], _ = exchange(answers(429, "retry-after: 17"))
    assert receipt == Receipt(
        Delivered.RETRY, "the receiver answered 429 Too Many Requests", after=17.0
    )


@pytest.mark.parametrize("behaviour", [closes, talks_nonsense])
def test_f_a_receiver_that_breaks_off_is_tried_again(behaviour: Behaviour) -> None:
    [receipt], _ = exchange(behaviour)
    assert receipt.result is Delivered.RETRY
    assert "RemoteProtocolError" in receipt.error


def test_f_nobody_listening_is_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        receipt = refused(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert receipt.result is Delivered.RETRY
    assert "ConnectError" in receipt.error


@pytest.mark.parametrize("behaviour", [stalls, babbles])
def test_f_the_status_is_the_answer_whatever_becomes_of_the_body(behaviour: Behaviour) -> None:
    [receipt, again], receiver = exchange(behaviour, answers(200), times=2, timeout=300)
    assert receipt.result is again.result is Delivered.DELIVERED
    assert receiver.connections == 2, "a body that does not end costs the connection"


def test_an_answer_without_end_is_not_read_to_the_end_of_the_timeout() -> None:
    [receipt], _ = exchange(babbles, timeout=3_600_000)
    assert receipt.result is Delivered.DELIVERED


def test_interim_answers_without_end_are_not_read_to_the_end_of_the_timeout() -> None:
    """All callbacks share the loop with everything else: each answer of 1xx holds it a moment."""

    (receipt,), _ = exchange(floods)
    assert receipt.result is Delivered.RETRY
    assert "more than 32,768 bytes came" in (receipt.error or "")


def test_redirects_are_not_followed() -> None:
    """A receiver must not point us at another address, which nobody allowed."""
    [receipt], receiver = exchange(answers(307, "location: /elsewhere"), answers(200))
    assert receipt.result is Delivered.DROPPED
    assert "redirects are not followed" in receipt.error
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "url", ["ftp://a.test/x", "file:///x", "a.test", "http://", "http:///x", "http://[::1", "\0"]
)
def test_only_http_is_spoken(url: str) -> None:
    receipt = refused(url)
    assert receipt.result is Delivered.DROPPED
    assert "spec.callback.url" in receipt.error


def test_connections_are_closed_when_idle() -> None:
    """Also where no further request comes, which is when the pool of httpx would look."""

    async def main() -> tuple[int, int]:
        async with receiving(answers(200)) as receiver:
            under_test = sender(idle=50)
            await under_test.send(delivery(receiver.url()))
            before = receiver.open
            async with asyncio.timeout(10):
                while receiver.open:
                    await asyncio.sleep(0.01)
            await under_test.send(delivery(receiver.url()))
            await under_test.close()
            return before, receiver.connections

    assert asyncio.run(main()) == (1, 2)


def test_nothing_is_closed_under_a_request_that_takes_longer_than_the_idle_time() -> None:
    async def late(request: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await answers(200)(request, writer)

    receipts, _ = exchange(answers(200), late, times=2, idle=50)
    assert [receipt.result for receipt in receipts] == [Delivered.DELIVERED] * 2


def test_a_wrong_secret_is_not_the_receivers_to_accept(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    _, receiver = exchange(answers(200), secret_file=str(file))
    [request] = receiver.got
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_b3RoZXJzZWNyZXQ=").verify(request.content, request.headers)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read: No such file"),
        ("", "is empty"),
        ("whsec_", "is empty"),
        ("whsec_not base64!", "holds no signing secret"),
        ("größe", "holds no signing secret"),
    ],
)
def test_an_unusable_secret_is_told_at_start_without_its_content(
    tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigInvalid, match=r"callbacks\.secretFile") as caught:
        sender(secret_file=str(file))
    assert problem in str(caught.value)
    assert "not base64" not in str(caught.value)


def test_the_secret_is_never_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    caplog.set_level(logging.DEBUG)
    exchange(answers(500), closes, answers(200), times=3, secret_file=str(file))
    assert "webhook-signature" not in caplog.text
    assert SECRET.removeprefix("whsec_") not in caplog.text
    assert SECRET not in repr(vars(sender(secret_file=str(file))))


# The faults of the seed that concern callbacks (its ninth)


def test_seed_fault_09_a_receiver_that_hangs_is_cut_off() -> None:
    [receipt], _ = exchange(hangs, timeout=200)
    assert receipt == Receipt(Delivered.RETRY, "no answer within 0.2 s")


def test_seed_fault_09_callbacks_are_signed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    _, receiver = exchange(answers(200), secret_file=str(file))
    [request] = receiver.got
    assert request.headers["webhook-id"] == "uid-1/7"
    assert Webhook(SECRET).verify(request.content, request.headers) == BODY


def test_seed_fault_09_nothing_is_signed_without_a_secret() -> None:
    _, receiver = exchange(answers(200))
    assert not [name for name in receiver.got[0].headers if name.startswith("webhook-")]


def test_seed_fault_09_a_host_that_is_not_allowed_is_not_called() -> None:
    async def main() -> tuple[Receipt, int]:
        async with receiving(answers(200)) as receiver:
            under_test = sender(allowed_hosts=("hooks.test", "*.example.com"))
            receipt = await under_test.send(delivery(receiver.url()))
            await under_test.close()
            return receipt, receiver.connections

    receipt, connections = asyncio.run(main())
    assert receipt.result is Delivered.DROPPED
    assert "'127.0.0.1' may not be called" in receipt.error
    assert connections == 0


def test_seed_fault_09_a_host_that_is_allowed_is_called() -> None:
    [receipt], _ = exchange(answers(200), allowed_hosts=("127.0.0.1",))
    assert receipt.result is Delivered.DELIVERED


# Keys of namespaces


def key_of(namespace: str, secret: str = SECRET) -> str:
    master = Master(base64.b64decode(secret.partition("_")[2]), undivided=False)
    return master.shown_key(namespace)


def signed(tmp_path: Path, secret: str, old: str | None = None) -> Request:
    """What a receiver in the namespace `shop` gets."""
    new_file, old_file = tmp_path / "new", tmp_path / "old"
    new_file.write_text(secret)
    options: dict[str, Any] = {"secret_file": str(new_file)}
    if old is not None:
        old_file.write_text(old)
        options["old_secret_file"] = str(old_file)
    _, receiver = exchange(answers(200), **options)
    return receiver.got[0]


def accepts(key: str, request: Request) -> bool:
    try:
        Webhook(key).verify(request.content, request.headers)
    except WebhookVerificationError:
        return False
    return True


MASTER = "wfmaster_" + SECRET.removeprefix("whsec_")
NEW = "wfmaster_bmV3ZXIgbWFzdGVyIHNlY3JldCBvZiAzMiBieXRlcw=="


def test_a_namespace_has_a_key_of_its_own_and_no_other_one_signs_for_it(tmp_path: Path) -> None:
    request = signed(tmp_path, MASTER)
    assert accepts(key_of("shop"), request)
    assert not accepts(key_of("attacker"), request)
    assert not accepts(SECRET, request), "the master signs nothing by itself"
    assert " " not in request.headers["webhook-signature"]


def test_a_receiver_that_holds_the_undivided_secret_is_not_broken_by_an_upgrade(
    tmp_path: Path,
) -> None:
    """The file is as it was before there were keys of namespaces."""
    request = signed(tmp_path, SECRET)
    assert accepts(SECRET, request)
    assert accepts(key_of("shop"), request), "the receiver can change over at any time"
    assert not accepts(key_of("attacker"), request)


@pytest.mark.parametrize("old", [SECRET, MASTER])
def test_during_a_change_of_masters_both_sign(tmp_path: Path, old: str) -> None:
    request = signed(tmp_path, NEW, old)
    assert accepts(key_of("shop", NEW), request)
    assert accepts(key_of("shop", old), request)
    assert accepts(SECRET, request) is (old == SECRET)
    assert not accepts(key_of("attacker", old), request)


def test_the_key_is_derived_as_rfc_5869_says() -> None:
    """Told once by another implementation: a change of it would break every receiver."""
    extracted = hmac.new(b"wf callbacks", b"master", "sha256").digest()
    info = b"v1 signing key of the namespace shop\x01"
    assert (
        Master(b"master", undivided=False).key("shop")
        == hmac.new(extracted, info, "sha256").digest()
    )
    assert "master" not in repr(Master(b"master", undivided=False))


def test_an_old_secret_without_a_new_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="is given without secretFile"):
        sender(old_secret_file=str(tmp_path / "none"))


# Which addresses are called


LOCAL = ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "localhost", "0"]


@pytest.mark.parametrize("host", LOCAL)
def test_no_spelling_of_this_machine_is_reached_where_addresses_are_judged(host: str) -> None:
    async def main() -> tuple[Receipt, Receiver]:
        async with receiving(answers(200)) as receiver:
            under_test = sender(public_only=True)
            receipt = await under_test.send(delivery(f"http://{host}:{receiver.port}/"))
            await under_test.close()
            return receipt, receiver

    receipt, receiver = asyncio.run(main())
    assert (receiver.connections, receipt.result) == (0, Delivered.RETRY)
    assert "is not a public address, so calling it is not allowed" in receipt.error


@pytest.mark.parametrize(
    ("usual", "callbacks", "reached"),
    [
        (False, {}, True),
        (True, {}, False),
        (True, {"public_only": False}, True),
        (False, {"public_only": True}, False),
        (True, {"allowed_hosts": ("127.0.0.1",)}, True),
        (True, {"allowed_hosts": ("127.0.0.1",), "public_only": True}, False),
    ],
)
def test_addresses_are_judged_in_a_cluster_and_where_the_operator_says_so(
    usual: bool, callbacks: dict[str, Any], reached: bool
) -> None:
    async def main() -> int:
        config = Config(callbacks=CallbackConfig(**callbacks))
        async with receiving(answers(200)) as receiver:
            under_test = HttpSender(config, SystemClock(), public_only=usual)
            await under_test.send(delivery(receiver.url()))
            await under_test.close()
            return receiver.connections

    assert asyncio.run(main()) == (1 if reached else 0)
