"""Where the programs of a cluster come from."""

import os
import re
import threading
from pathlib import Path

import pytest
from tests.cluster import binaries
from tests.cluster.binaries import (
    CONTROL_PLANE,
    AssetMissingError,
    UnavailableError,
    cache,
    find,
    place,
)
from tests.cluster.build import go_mod
from tests.cluster.sources import CONTAINERD, ETCD, KUBERNETES, source_of

# Answers like Go, notes each build, and takes its time over it.
FAKE_GO = """#!/bin/sh
case "$1 $2" in
"mod download") echo '{"GoMod": "x"}' ;;
"mod edit") echo '{"Go": "1.26.0", "GoDebug": null, "Replace": null}' ;;
build*)
  sleep 0.2
  while [ "$1" != "-o" ]; do shift; done
  echo made > "$2"
  echo "$3" >> "$NOTES" ;;
esac
"""
# Go is killed while it writes kubectl.
KILLED_AT_KUBECTL = """case "$3" in *kubectl) echo half > "$2"; kill -9 $$ ;; esac
  """
BROKEN_GO = "#!/bin/sh\necho no such host >&2\nexit 1\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has nothing: no assets, an empty cache, no Go."""
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def put(folder: Path, *programs: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for program in programs:
        (folder / program).touch()
    return folder


def install_go(machine: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go = machine / "bin" / "go"
    go.write_text(script)
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}{os.pathsep}{os.defpath}")


def silent(text: str) -> None:
    pytest.fail(f"there was nothing to say, but it said: {text}")


def test_assets_come_before_the_cache(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(machine / "cache/wf" / ETCD.folder, "etcd")
    assets = put(machine / "assets", *CONTROL_PLANE)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    assert find(CONTROL_PLANE, silent) == {name: assets / name for name in CONTROL_PLANE}


def test_assets_need_not_have_what_only_some_tests_want(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = put(machine / "assets", *CONTROL_PLANE)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    assert place("helm").parent.parent == cache()
    put(assets, "helm")
    assert place("helm") == assets / "helm"


def test_assets_that_lack_a_program_are_a_fault(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(put(machine / "assets", "etcd")))
    with pytest.raises(AssetMissingError, match="has no kube-apiserver, kubectl; name a folder"):
        find(CONTROL_PLANE, silent)


def test_what_assets_never_have_is_taken_from_the_cache(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """envtest's folder has a control plane; nobody puts a kubelet there, but somebody may."""
    assets = put(machine / "assets", *CONTROL_PLANE, "kubelet")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    cached = put(machine / "cache/wf" / CONTAINERD.folder, "containerd")
    found = find(("etcd", "kubelet", "containerd"), silent)
    assert [found[name].parent for name in found] == [assets, assets, cached]


def test_the_cache_is_named_by_version(machine: Path) -> None:
    for name in CONTROL_PLANE:
        put(machine / "cache/wf" / source_of(name).folder, name)
    found = find(CONTROL_PLANE, silent)
    assert found["kubectl"] == machine / f"cache/wf/kubernetes-{KUBERNETES.version}/kubectl"
    assert found["etcd"] == machine / f"cache/wf/etcd-{ETCD.version}/etcd"


@pytest.mark.usefixtures("machine")
def test_with_nothing_there_and_no_go_the_reason_says_what_to_do() -> None:
    assert not binaries.all_there(CONTROL_PLANE)
    with pytest.raises(UnavailableError, match="install Go, or set KUBEBUILDER_ASSETS"):
        find(CONTROL_PLANE, silent)


def test_what_is_missing_is_built_once_and_announced(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_go(machine, FAKE_GO, monkeypatch)
    put(machine / "cache/wf" / ETCD.folder, "etcd")
    said: list[str] = []
    found = find(CONTROL_PLANE, said.append)
    assert found["kube-apiserver"].read_text() == "made\n"
    assert said[0].startswith(
        "2 programs must be built, once: kube-apiserver, kubectl. This takes up to 10 min"
    )
    assert "what is built stays built" in said[0]
    assert [re.split(",? in |, once", line)[0] for line in said[1:]] == [
        f"building kube-apiserver {KUBERNETES.version}",
        "built kube-apiserver",
        f"building kubectl {KUBERNETES.version}",
        "built kubectl",
    ]
    assert find(CONTROL_PLANE, silent) == found


def test_two_processes_at_once_build_once(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_go(machine, FAKE_GO, monkeypatch)
    said: list[str] = []
    # The lock is by open file, so two threads meet as two processes do.
    workers = [threading.Thread(target=find, args=(("etcd",), said.append)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (machine / "notes").read_text().splitlines() == [ETCD.packages["etcd"]]
    assert "waiting for another build: etcd" in " ".join(said)


def test_a_build_that_fails_gives_gos_reason_and_leaves_nothing(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_go(machine, BROKEN_GO, monkeypatch)
    with pytest.raises(UnavailableError, match=r"etcd can't be built: .*no such host"):
        find(("etcd",), lambda text: None)
    assert not binaries.place("etcd").exists()


def test_a_build_that_was_interrupted_begins_again_alone_and_is_never_taken_for_whole(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_go(machine, FAKE_GO.replace("echo made", KILLED_AT_KUBECTL + "echo made"), monkeypatch)
    with pytest.raises(UnavailableError, match="kubectl can't be built"):
        find(CONTROL_PLANE, lambda text: None)
    assert not binaries.place("kubectl").exists()
    # What the compiler of a killed process still writes goes nowhere.
    left = put(place("kubectl").parent / ".building-left", "made")
    install_go(machine, FAKE_GO, monkeypatch)
    (machine / "notes").unlink()
    found = find(CONTROL_PLANE, lambda text: None)
    assert (machine / "notes").read_text().splitlines() == [KUBERNETES.packages["kubectl"]]
    assert {path.read_text() for path in found.values()} == {"made\n"}
    assert not left.exists()
    assert [file.name for file in place("kubectl").parent.iterdir() if file.name[0] == "."] == []


def test_what_the_module_replaces_by_its_own_folders_gets_a_version() -> None:
    upstream = {
        "Go": "1.26.0",
        "GoDebug": [{"Key": "default", "Value": "go1.26"}],
        "Replace": [{"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}}],
    }
    assert go_mod(KUBERNETES, upstream).splitlines()[2:] == [
        "go 1.26.0",
        "",
        "godebug default=go1.26",
        f"require k8s.io/kubernetes v{KUBERNETES.version}",
        f"replace k8s.io/api => k8s.io/api {KUBERNETES.staging}",
    ]
    assert "replace" not in go_mod(ETCD, upstream)


def test_an_unknown_program_is_a_fault_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no source brings 'kubelte'; known .*etcd, .*kube-api"):
        source_of("kubelte")
