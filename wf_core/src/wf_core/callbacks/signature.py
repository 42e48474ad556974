"""Signing after the Standard Webhooks specification, so that receivers can tell us from others."""

import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks import Webhook

from wf_core.errors import ConfigInvalid

_PREFIX = "whsec_"


class Signer:
    """Makes the headers that prove who sent a callback. The secret is never shown nor logged."""

    def __init__(self, secret: bytes) -> None:
        self._webhook = Webhook(secret)

    @classmethod
    def from_file(cls, path: Path) -> "Signer":
        """Read `whsec_` and base64 from a file. Raises `ConfigInvalid`, which quotes no content."""
        where = f"callbacks.secretFile: {str(path)!r}"
        try:
            text = path.read_text(encoding="ascii").strip()
            secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise ConfigInvalid(f"{where} can't be read: {problem}; correct the path") from None
        except (binascii.Error, UnicodeDecodeError):
            raise ConfigInvalid(
                f"{where} holds no signing secret; write {_PREFIX!r} and base64 into it"
            ) from None
        if not secret:
            raise ConfigInvalid(f"{where} is empty; write {_PREFIX!r} and base64 into it")
        return cls(secret)

    def headers(self, event_id: str, content: bytes, now: float) -> dict[str, str]:
        """The three headers for `content` sent at `now` (epoch seconds)."""
        second = int(now)
        signature = self._webhook.sign(
            event_id, datetime.fromtimestamp(second, UTC), content.decode()
        )
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(second),
            "webhook-signature": signature,
        }
