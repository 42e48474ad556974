"""Tests of the kind `http`: on real sockets, with servers that misbehave."""

import shutil
import subprocess
from pathlib import Path

import attrs
import pytest
from tests.cluster.fixtures import (
    cluster,
    control_plane_programs,
    kubectl,
    kubectl_program,
    namespace,
    pytest_itemcollected,
)

__all__ = [
    "cluster",
    "control_plane_programs",
    "kubectl",
    "kubectl_program",
    "namespace",
    "pytest_itemcollected",
]


@pytest.fixture(autouse=True)
def loopback_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of the tests are on this machine."""
    monkeypatch.setenv("WF_HTTP_ALLOW", "127.0.0.1,::1")


NEW = ("-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
# What RFC 5280 demands, and Python since 3.13.
AUTHORITY = (
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign",
    "subjectKeyIdentifier=hash",
)
KEY_IDENTIFIERS = ("subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid")


@attrs.frozen
class Certificates:
    """An authority, and what it signed."""

    folder: Path

    authority_extensions: tuple[str, ...] = AUTHORITY

    @property
    def authority(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, name: str, *names: str) -> tuple[Path, Path]:
        """A certificate and its key. `names`: as openssl writes them, such as `IP:127.0.0.1`."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        asked, extra = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        alternative = [f"subjectAltName={','.join(names)}"] if names else []
        extra.write_text("\n".join([*KEY_IDENTIFIERS, *alternative, ""]))
        self._openssl("req", *NEW, "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
        signer = ("-CA", self.authority, "-CAkey", self.folder / "ca.key", "-CAcreateserial")
        signed = ("-in", asked, "-extfile", extra, "-days", "1", "-out", certificate)
        self._openssl("x509", "-req", *signer, *signed)
        return certificate, key

    def found(self) -> None:
        """Make the authority."""
        asks, extra = self.folder / "authority.cnf", []
        asks.write_text("[req]\ndistinguished_name=name\n[name]\n")
        for extension in self.authority_extensions:
            extra += ["-addext", extension]
        subject = ("-subj", "/CN=authority", "-days", "1", "-config", asks)
        files = ("-keyout", self.folder / "ca.key", "-out", self.authority)
        self._openssl("req", "-x509", *NEW, *subject, *extra, *files)

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(
            ["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=self.folder
        )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make certificates with")
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.found()
    return made


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of secrets for workflows of the namespace `default`."""
    folder = tmp_path / "secrets"
    (folder / "default").mkdir(parents=True)
    monkeypatch.setenv("WF_HTTP_SECRETS", str(folder))
    return folder / "default"
