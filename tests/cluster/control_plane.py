"""etcd and kube-apiserver, as processes of this machine."""

import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import audit, kubeconfig
from tests.cluster.credentials import ADMIN, write_signing_key, write_tokens
from tests.cluster.daemon import Daemon, Guard
from tests.cluster.ports import Port
from tests.patience import PATIENCE


class ControlPlane:
    """A Kubernetes of our own without nodes: its API is real, its pods run nowhere.

    `programs` has the paths of etcd and kube-apiserver. Everything is written below `folder`. With
    `durable`, etcd waits for the disk at every write, as benchmarks and crash tests want it.
    `client_ca` is the authority of clients' certificates; None: they are not believed. With
    `audited`, `audit.read(audit.log(folder), ...)` tells what was asked.
    """

    def __init__(
        self,
        programs: Mapping[str, Path],
        folder: Path,
        *,
        durable: bool = False,
        client_ca: Path | None = None,
        audited: bool = False,
    ) -> None:
        self.folder = folder
        self._client_ca = client_ca
        self._data = folder / "etcd"
        self._certificates = folder / "certificates"
        self._certificates.mkdir(parents=True)
        self.tokens = write_tokens(folder / "tokens.csv")
        self.service_account_key = folder / "service-account.key"
        write_signing_key(self.service_account_key)
        self._clients, self._peers, self._secure = Port(), Port(), Port()
        self._guard = Guard(folder)
        self.etcd = Daemon(
            [str(programs["etcd"]), *self._etcd_flags(durable)], folder / "etcd.log", self._guard
        )
        self.api_server = Daemon(
            [str(programs["kube-apiserver"]), *self._api_server_flags(audited)],
            folder / "kube-apiserver.log",
            self._guard,
        )

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._secure.number}"

    @property
    def etcd_url(self) -> str:
        """Where etcd answers, without TLS, to whoever looks behind the API server."""
        return f"http://127.0.0.1:{self._clients.number}"

    @property
    def ca(self) -> Path:
        """The certificates to trust; there once the API server has started."""
        return self._certificates / "apiserver.crt"

    def start(self) -> None:
        """Start both and return when the API server is ready."""
        self.etcd.start()
        self.start_api_server()

    def start_api_server(self) -> None:
        """Start the API server, again at the same address, and return when it is ready.

        RuntimeError where a program ends, TimeoutError where it does not become ready.
        """
        self.api_server.start()
        # Readiness comes before the namespace in which everyone begins.
        for path in ("/readyz", "/api/v1/namespaces/default"):
            self._await(path)

    def check(self) -> None:
        """RuntimeError, with the end of its log, where one of both has ended by itself."""
        self.etcd.check()
        self.api_server.check()

    def stop(self) -> None:
        """Stop both and remove their data; the logs stay."""
        # Killed: it holds nothing, and would wait for the watches of clients to end.
        self.api_server.stop(grace=0)
        self.etcd.stop()
        self._guard.close()
        for port in (self._clients, self._peers, self._secure):
            port.release()
        shutil.rmtree(self._data, ignore_errors=True)

    def kubeconfig(self, user: str = ADMIN) -> Path:
        """A kubeconfig that speaks as `user`, one of credentials.USERS."""
        return kubeconfig.write(
            self.folder / f"{user}.kubeconfig",
            url=self.url,
            ca=self.ca,
            user=user,
            token=self.tokens[user],
        )

    def processes(self) -> tuple[int, ...]:
        """The ids of all processes that belong to it."""
        return (self.etcd.pid, self.api_server.pid, self._guard.pid)

    def _etcd_flags(self, durable: bool) -> list[str]:
        clients = self.etcd_url
        peers = f"http://127.0.0.1:{self._peers.number}"
        return [
            f"--data-dir={self._data}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--socket-reuse-port",
            "--log-level=warn",
            *([] if durable else ["--unsafe-no-fsync"]),
        ]

    def _api_server_flags(self, audited: bool) -> list[str]:
        key = self.service_account_key
        return [
            f"--etcd-servers={self.etcd_url}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self._secure.number}",
            "--permit-port-sharing",
            # It publishes its address to nobody: a loopback one is refused there.
            "--endpoint-reconciler-type=none",
            f"--cert-dir={self._certificates}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            *([f"--client-ca-file={self._client_ca}"] if self._client_ca else []),
            *(audit.flags(self.folder) if audited else []),
        ]

    def _answers(self, path: str) -> bool:
        if not self.ca.exists():
            return False
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"Bearer {self.tokens[ADMIN]}"}
        )
        try:
            # While it is just being written there is no certificate in it.
            trusted = ssl.create_default_context(cafile=self.ca)
            direct = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
            )
            with direct.open(request, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False  # Not yet: the deadline of the one who asks ends this.

    def _await(self, path: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._answers(path):
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"no answer from {self.url}{path} within {PATIENCE:g} s; see the logs in"
                    f" {self.folder}"
                )
            time.sleep(0.05)


@contextmanager
def running(
    programs: Mapping[str, Path], folder: Path, *, durable: bool = False, audited: bool = False
) -> Iterator[ControlPlane]:
    """A control plane that is ready, and gone afterwards."""
    plane = ControlPlane(programs, folder, durable=durable, audited=audited)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()
