"""Certificates of clients, made with openssl."""

import shutil
import subprocess
from pathlib import Path

import pytest

EVERYTHING = ("-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


class Authority:
    """Signs certificates for clients. Its own is `file`; all is written below `folder`."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl to make certificates with")
        self._folder = folder
        self.file = folder / "clients-ca.crt"

    def renew(self) -> None:
        """Become another authority under the same name."""
        made = self._folder / "next-ca.crt"
        key = self._folder / "clients-ca.key"
        subject = ("-subj", "/CN=clients-ca", "-days", "1")
        uses = ("-addext", "keyUsage=critical,keyCertSign")
        self._openssl("req", "-x509", *EVERYTHING, *subject, *uses, "-keyout", key, "-out", made)
        made.rename(self.file)

    def issue(self, group: str, user: str) -> tuple[Path, Path]:
        """A certificate and its key, always in the same files."""
        asked, key = self._folder / "client.csr", self._folder / "client.key"
        certificate = self._folder / "client.crt"
        subject = ("-subj", f"/O={group}/CN={user}")
        self._openssl("req", *EVERYTHING, *subject, "-keyout", key, "-out", asked)
        signed = ("-CA", self.file, "-CAkey", self._folder / "clients-ca.key", "-CAcreateserial")
        self._openssl("x509", "-req", "-in", asked, *signed, "-days", "1", "-out", certificate)
        return certificate, key

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(
            ["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=self._folder
        )
