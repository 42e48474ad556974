"""Signing after the Standard Webhooks specification, so that receivers can tell us from others.

Each namespace has a key of its own, derived (HKDF, RFC 5869) from a master secret that only the
operator has: what is signed for one tenant's receiver, no other tenant can have signed. During a
change of masters a callback carries the signatures of both, of which a receiver accepts either.

A file that begins with `wfmaster_` holds a master. One that begins with `whsec_`, or with neither,
is from before there were masters: receivers hold that very secret, so it signs by itself, too.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs
from standardwebhooks import Webhook

from wf_core.errors import ConfigInvalid

KEY = "whsec_"
MASTER = "wfmaster_"
_SALT = b"wf callbacks"
_PURPOSE = b"v1 signing key of the namespace "


@attrs.frozen
class Master:
    """What keys are derived from, never shown nor logged. `undivided`: receivers hold it, too."""

    secret: bytes = attrs.field(repr=False)
    undivided: bool

    @classmethod
    def from_file(cls, setting: str, path: Path) -> "Master":
        """Read a prefix and base64 from a file. Raises `ConfigInvalid`, which quotes no content."""
        where = f"{setting}: {str(path)!r}"
        how = f"write {MASTER!r} and base64 into it"
        try:
            text = path.read_text(encoding="ascii").strip()
            undivided = not text.startswith(MASTER)
            text = text.removeprefix(KEY if undivided else MASTER)
            secret = base64.b64decode(text, validate=True)
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise ConfigInvalid(f"{where} can't be read: {problem}; correct the path") from None
        except (binascii.Error, UnicodeDecodeError):
            raise ConfigInvalid(f"{where} holds no signing secret; {how}") from None
        if not secret:
            raise ConfigInvalid(f"{where} is empty; {how}")
        return cls(secret, undivided)

    def key(self, namespace: str) -> bytes:
        """The signing key of a namespace."""
        # RFC 5869 with SHA-256; 32 bytes are its first block.
        extracted = hmac.digest(_SALT, self.secret, hashlib.sha256)
        info = _PURPOSE + namespace.encode()
        return hmac.digest(extracted, info + b"\x01", hashlib.sha256)

    def shown_key(self, namespace: str) -> str:
        """That key as libraries for Standard Webhooks take it."""
        return KEY + base64.b64encode(self.key(namespace)).decode("ascii")


class Signer:
    """Makes the headers that prove who sent a callback, by each of the masters."""

    def __init__(self, masters: Sequence[Master]) -> None:
        self._masters = masters

    def headers(self, namespace: str, event_id: str, content: bytes, now: float) -> dict[str, str]:
        """The three headers for `content` of a workflow in `namespace`, sent at `now` (epoch
        seconds)."""
        second = int(now)
        at = datetime.fromtimestamp(second, UTC)
        text = content.decode()
        signatures = [Webhook(key).sign(event_id, at, text) for key in self._keys(namespace)]
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(second),
            "webhook-signature": " ".join(signatures),
        }

    def _keys(self, namespace: str) -> Iterator[bytes]:
        yield from (master.key(namespace) for master in self._masters)
        yield from (master.secret for master in self._masters if master.undivided)
