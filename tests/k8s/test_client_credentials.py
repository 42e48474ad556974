"""Credentials that end while the client runs: files, programs, certificates, a pod's own."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest
from tests.cluster.connection import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.k8s.certificates import Authority
from tests.k8s.controller_process import until
from tests.k8s.service_accounts import NAME, with_rights
from tests.k8s.store_fixtures import Stores

from wf_core.adapters.clock import SystemClock
from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.ports import Saved
from wf_core.testing.store_values import key_of, next_save, saved, workflow
from wf_k8s import rbac
from wf_k8s.client import access, session
from wf_k8s.client.access import Access
from wf_k8s.client.session import Session
from wf_k8s.store.store import K8sStore

VERSION = "/version"


@attrs.define
class Answers:
    """What the API server has answered."""

    codes: list[str] = attrs.field(factory=list)

    def __call__(self, method: str, code: str, seconds: float) -> None:  # noqa: ARG002
        self.codes.append(code)


def play(file: Path, test: Callable[[Session, Answers], Awaitable[None]]) -> None:
    """`test` with a session of that kubeconfig."""

    async def main() -> None:
        answers = Answers()
        made = Session(Access("", str(file)), observer=answers)
        try:
            await test(made, answers)
        finally:
            await made.close()

    asyncio.run(main())


def kubeconfig(folder: Path, cluster: dict[str, str], user: dict[str, object]) -> Path:
    """One that names files or programs instead of holding credentials."""
    file = folder / "named.kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    }
    file.write_text(json.dumps(document))
    return file


def place(cluster: Cluster) -> dict[str, str]:
    return {"server": cluster.url, "certificate-authority": str(cluster.ca)}


@pytest.fixture
def _no_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are read again however new the last reading is."""
    monkeypatch.setattr(session, "OLDEST_CREDENTIALS", 0.0)


@pytest.mark.usefixtures("_no_age")
def test_a_token_that_ended_is_read_again_from_its_file(cluster: Cluster, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("ended")

    async def test(session: Session, answers: Answers) -> None:
        await session.door()
        token.write_text(cluster.token + "\n")
        await session.request("GET", VERSION)
        assert answers.codes == ["401", "200"]

    play(kubeconfig(tmp_path, place(cluster), {"tokenFile": str(token)}), test)


def program(folder: Path, body: str) -> dict[str, object]:
    """A user whose credentials a program gives."""
    file = folder / "credentials.py"
    file.write_text(body)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(file)],
            "interactiveMode": "Never",
        }
    }


@pytest.mark.usefixtures("_no_age")
def test_a_token_that_ended_is_asked_anew_of_the_program_that_gives_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    given = program(
        tmp_path,
        "import json, pathlib\n"
        f"calls = pathlib.Path({str(calls)!r})\n"
        "calls.write_text(calls.read_text() + '.' if calls.exists() else '.')\n"
        f"token = {cluster.token!r} if len(calls.read_text()) > 1 else 'ended'\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind':\n"
        "    'ExecCredential', 'status': {'token': token}}))\n",
    )

    async def test(session: Session, answers: Answers) -> None:
        await session.request("GET", VERSION)
        await session.request("GET", VERSION)
        assert answers.codes == ["401", "200", "200"]
        assert calls.read_text() == ".."

    play(kubeconfig(tmp_path, place(cluster), given), test)


def test_a_program_that_gives_no_credentials_is_told_of(cluster: Cluster, tmp_path: Path) -> None:
    given = program(tmp_path, "import sys\nsys.exit('log in first')\n")

    async def test(session: Session, answers: Answers) -> None:
        with pytest.raises(StoreUnavailable, match=r"it gave none: .*log in first"):
            await session.request("GET", VERSION)
        assert answers.codes == []

    play(kubeconfig(tmp_path, place(cluster), given), test)


@attrs.frozen
class Pod:
    """What a pod finds in its environment and in its files."""

    folder: Path

    def write(self, token: str, ca: Path, namespace: str) -> None:
        """As the kubelet does, at the start and whenever something is renewed."""
        (self.folder / "token").write_text(token)
        (self.folder / "ca.crt").write_bytes(ca.read_bytes())
        (self.folder / "namespace").write_text(namespace)


@pytest.fixture
def pod(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pod:
    """This process is in a pod."""
    from kubernetes.aio.config import incluster_config

    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    where = urlsplit(cluster.url)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", where.hostname or "")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(where.port))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(folder / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(folder / "ca.crt"))
    monkeypatch.setattr(access, "POD_NAMESPACE", folder / "namespace")
    return Pod(folder)


@pytest.mark.slow
def test_in_a_pod_a_revoked_token_gives_way_to_the_next_and_nothing_is_missed(
    cluster: Cluster, stores: Stores, pod: Pod
) -> None:
    """The store works with the pod's own account in the pod's namespace, before and after."""
    kubectl, namespace = stores.kubectl, stores.namespace
    account = with_rights(kubectl, namespace, rbac.WORKFLOWS)
    first, second = account.revocable("first"), account.revocable("second")
    pod.write(first, cluster.ca, namespace)

    def refused() -> bool | None:
        done = kubectl.run("get", "--raw", "/api", f"--token={first}")
        return True if done.returncode else None

    async def main() -> None:
        plain, answers = stores.open(), Answers()
        store = K8sStore(Session(Access(""), observer=answers), stores.owners(), SystemClock().now)
        try:
            stored = await plain.create(workflow(), 1.0)
            key = key_of(stored)
            position = await store.position()
            owner = await store.claim(key)
            now = await saved(store, stored, next_save(stored, owner, phase=Phase.RUNNING))
            pod.write(second, cluster.ca, namespace)
            await asyncio.to_thread(account.revoke, "first")
            await asyncio.to_thread(until, refused, "the first token is refused")
            assert "401" not in answers.codes
            assert await store.save(key, next_save(now, owner)) is Saved.SAVED
            assert answers.codes.count("401") == 1
            await plain.create(workflow("new"), 1.0)
            async for seen in store.watch(position):
                if seen.key.name == "new":
                    break
        finally:
            await store.close()
            await plain.close()

    asyncio.run(main())


def test_in_a_pod_a_context_is_refused_by_name(cluster: Cluster, pod: Pod) -> None:
    pod.write(cluster.token, cluster.ca, "default")

    async def main() -> None:
        made = Session(Access("prod/orders"))
        try:
            with pytest.raises(StoreUnavailable, match=r"'prod', .* in a pod write `k8s:`"):
                await made.door()
        finally:
            await made.close()

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.usefixtures("_no_age")
def test_renewed_certificates_of_client_and_server_are_taken_up(
    control_plane_programs: dict[str, Path], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    authority.renew()
    plane = ControlPlane(control_plane_programs, tmp_path / "plane", client_ca=authority.file)
    try:
        plane.start()
        certificate, key = authority.issue("system:masters", NAME)
        where = {"server": plane.url, "certificate-authority": str(plane.ca)}
        who: dict[str, object] = {"client-certificate": str(certificate), "client-key": str(key)}

        async def test(session: Session, answers: Answers) -> None:
            await session.request("GET", VERSION)
            # The clients' authority is another one from now on, and so is our certificate.
            authority.renew()
            old = (certificate.read_bytes(), key.read_bytes())
            await _until_refused(session, answers)
            authority.issue("system:masters", NAME)
            assert (certificate.read_bytes(), key.read_bytes()) != old
            answers.codes.clear()
            await session.request("GET", VERSION)
            assert answers.codes == ["401", "200"]
            # The server's own certificate, which its clients trust, is another one too.
            plane.api_server.stop(grace=0)
            for file in plane.ca.parent.iterdir():
                file.unlink()
            await asyncio.to_thread(plane.start_api_server)
            answers.codes.clear()
            await session.request("GET", VERSION)
            assert answers.codes[-1] == "200"
            assert "error" in answers.codes

        play(kubeconfig(tmp_path, where, who), test)
    finally:
        plane.stop()


async def _until_refused(session: Session, answers: Answers) -> None:
    while True:
        try:
            await session.request("GET", VERSION)
        except StoreUnavailable:
            assert answers.codes[-2:] == ["401", "401"]
            return
        await asyncio.sleep(0.05)
