"""Who may speak to the API server, and what it signs tokens of service accounts with."""

import base64
import csv
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

ADMIN = "admin"
USERS: Mapping[str, Sequence[str]] = {
    ADMIN: ("system:masters",),
    # These have no rights but those that a test grants to the user of that name.
    "controller": (),
    "author": (),
    "stranger": (),
}
"""The users and their groups."""


def write_tokens(file: Path) -> Mapping[str, str]:
    """Write kube-apiserver's file of tokens, and return the token of each user."""
    tokens = {user: secrets.token_hex(16) for user in USERS}
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        for user, token in tokens.items():
            rows.writerow([token, user, user, ",".join(USERS[user])])
    file.chmod(0o600)
    return tokens


def write_signing_key(file: Path) -> None:
    """Write a fresh private key on the curve P-256, in SEC 1's form."""
    scalar = bytearray(secrets.token_bytes(32))
    # Any number below the curve's order will do, which this bit keeps it; the other avoids zero.
    scalar[0] &= 0x7F
    scalar[-1] |= 1
    curve = bytes.fromhex("a00a06082a8648ce3d030107")
    der = bytes.fromhex("3031020101") + b"\x04\x20" + bytes(scalar) + curve
    text = base64.encodebytes(der).decode()
    file.write_text(f"-----BEGIN EC PRIVATE KEY-----\n{text}-----END EC PRIVATE KEY-----\n")
    file.chmod(0o600)
