"""The Dockerfile is what the code and the chart take it for. Building it needs Docker."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from image import additions

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


@pytest.fixture(scope="module")
def last_stage(dockerfile: str) -> str:
    return dockerfile[dockerfile.rindex("\nFROM ") :]


def test_the_base_is_pinned_by_its_digest(dockerfile: str) -> None:
    (base,) = re.findall(r"^ARG PYTHON=(\S+)$", dockerfile, re.MULTILINE)
    assert re.fullmatch(r"\S+:3\.11[\w.-]*@sha256:[0-9a-f]{64}", base)
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert set(bases) == {"${PYTHON}"}


def test_it_runs_as_nobody_that_the_machine_knows_and_without_a_shell(last_stage: str) -> None:
    assert re.findall(r"^USER (.+)$", last_stage, re.MULTILINE) == ["65532:65532"]
    assert re.findall(r"^(?:ENTRYPOINT|CMD|RUN) ([^\[].*)$", last_stage, re.MULTILINE) == []
    chart = yaml.safe_load((ROOT / "helm/values.yaml").read_text())
    assert chart["podSecurity"] == {"runAsUser": 65532, "fsGroup": 65532}


def test_its_environment_is_that_of_the_image_made_without_docker(last_stage: str) -> None:
    (environment,) = re.findall(r"^ENV (.+)$", last_stage, re.MULTILINE)
    assert dict(each.split("=", 1) for each in environment.split()) == additions.ENVIRONMENT


def test_what_it_is_called_and_of_which_version_stands_in_its_labels(last_stage: str) -> None:
    version = tomllib.loads((ROOT / "wf_k8s/pyproject.toml").read_text())["project"]["version"]
    assert f"ARG VERSION={version}\n" in last_stage
    labels = re.findall(r"org\.opencontainers\.image\.(\w+)=", last_stage)
    assert set(labels) == {"title", "description", "version", "revision", "licenses"}


def test_everything_that_is_installed_is_held_by_a_hash_or_made_here(dockerfile: str) -> None:
    commands = [
        each
        for run in re.findall(r"^RUN (.+)$", dockerfile, re.MULTILINE)
        for each in run.split("&&")
        if "pip install" in each
    ]
    assert len(commands) == 3
    assert all("--require-hashes" in each or "--no-index" in each for each in commands)


def test_19_a_kind_that_runs_in_the_controller_s_own_container_is_left_out(dockerfile: str) -> None:
    (left_out,) = re.findall(r'^ARG LEFT_OUT="(.+)"$', dockerfile, re.MULTILINE)
    assert "wf_command" in left_out.split()
    assert all((ROOT / "plugins" / name).is_dir() for name in left_out.split())
