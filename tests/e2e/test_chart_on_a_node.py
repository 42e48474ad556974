"""The chart on a real node: its controllers run from our image, as it asks for them."""

import pytest
from tests.cluster.kubectl import Kubectl
from tests.k8s.chart_helm import CHART, Helm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_chart_is_installed_tested_and_taken_away(
    helm: Helm, kubectl: Kubectl, namespace: str, wf_image: str
) -> None:
    level = "pod-security.kubernetes.io/enforce=restricted"
    kubectl("label", "namespace", namespace, level)
    repository, _, tag = wf_image.rpartition(":")
    image = {"repository": repository, "tag": tag, "pullPolicy": "Never"}
    where = ("--namespace", namespace)
    helm("install", "wf", str(CHART), *where, values={"image": image, "namespaces": [namespace]})
    rollout = ("rollout", "status", "deployment/wf", "--timeout=50s")
    kubectl("-n", namespace, *rollout)
    tested = helm("test", "wf", *where, "--timeout", "90s")
    assert "Phase:          Succeeded" in tested
    # Whoever leads goes: the other one goes on.
    helm("upgrade", "wf", str(CHART), *where, "--reuse-values", "--set", "debug=true")
    kubectl("-n", namespace, *rollout)
    assert "Succeeded" in helm("test", "wf", *where, "--timeout", "90s")
    helm("uninstall", "wf", *where)
