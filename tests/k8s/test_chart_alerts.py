"""The chart's alerts and its dashboard: off by default, valid, and about metrics that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster import debian
from tests.cluster.binaries import UnavailableError
from tests.k8s.chart_helm import Helm

from wf_k8s.telemetry.metrics import Metrics

ON = {"metrics": {"rules": {"enabled": True}, "dashboard": {"enabled": True}}}


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own checker, installed first where need be."""
    if not debian.there("promtool"):
        try:
            debian.install(["prometheus"], print)
        except UnavailableError as error:
            pytest.skip(f"no promtool: {error}")
    found = shutil.which("promtool")
    assert found is not None
    return found


def rendered(helm: Helm, values: dict[str, Any]) -> dict[str, Any]:
    """The rules and the dashboard that a release has, by kind."""
    documents = [each for each in yaml.safe_load_all(helm.template(values=values)) if each]
    return {
        each["kind"]: each
        for each in documents
        if each["kind"] == "PrometheusRule" or each["metadata"]["name"].endswith("-dashboard")
    }


def dashboard(helm: Helm) -> dict[str, Any]:
    document = json.loads(rendered(helm, ON)["ConfigMap"]["data"]["wf.json"])
    assert isinstance(document, dict)
    return document


def expressions(helm: Helm) -> Iterator[str]:
    """What the alerts and the panels ask of Prometheus."""
    for group in rendered(helm, ON)["PrometheusRule"]["spec"]["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in dashboard(helm)["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_alerts_and_dashboard_are_off_by_default(helm: Helm) -> None:
    assert rendered(helm, {}) == {}
    assert set(rendered(helm, ON)) == {"PrometheusRule", "ConfigMap"}


def test_they_ask_for_metrics_that_the_controller_has(helm: Helm) -> None:
    names: set[str] = set()
    for family in Metrics().registry.collect():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        names |= {family.name + end for end in ends.get(family.type, ("",))}
    asked = {
        name
        for expression in expressions(helm)
        for name in re.findall(
            r"\b(?:wf|workqueue|leader_election|rest_client|process)_\w+", expression
        )
    }
    assert len(asked) > 10
    assert asked - names == set()


def test_promtool_takes_the_alerts_and_every_expression(
    helm: Helm, promtool: str, tmp_path: Path
) -> None:
    alerts = rendered(helm, ON)["PrometheusRule"]["spec"]
    panels = [
        {"record": f"panel:{n}", "expr": expression}
        for n, expression in enumerate(expressions(helm))
    ]
    everything = {"groups": [*alerts["groups"], {"name": "panels", "rules": panels}]}
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(everything))
    done = subprocess.run(
        [promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    count = len(panels) + sum(len(group["rules"]) for group in alerts["groups"])
    assert f"{count} rules found" in done.stdout


def test_the_alerts_fire_where_they_must(helm: Helm, promtool: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump(rendered(helm, ON)["PrometheusRule"]["spec"]))
    case = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": 'wf_stuck_undos{queue="gold"}', "values": "0x10 1x20"},
                    {"series": 'leader_election_master_status{name="a"}', "values": "1x10 0x20"},
                ],
                "alert_rule_test": [
                    {"eval_time": "10m", "alertname": "WfUndoStuck", "exp_alerts": []},
                    {"eval_time": "10m", "alertname": "WfNoLeader", "exp_alerts": []},
                ],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "25m",
                        "exp_samples": [
                            {"labels": f'{{alertname="{name}"}}', "value": 1}
                            for name in ("WfNoLeader", "WfUndoStuck")
                        ],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "case.yaml"
    file.write_text(yaml.safe_dump(case))
    done = subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
