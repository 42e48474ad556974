"""A release of the chart, as these tests install it."""

import attrs
from tests.k8s.chart_helm import CHART, Helm
from tests.k8s.crd_objects import Json, Sagas


@attrs.frozen
class Release:
    """The release `wf` in a namespace of the strictest pod security."""

    helm: Helm
    sagas: Sagas
    values: Json

    def install(self, **values: object) -> None:
        """Install or upgrade, and wait until its pods are there."""
        where = ("--namespace", self.sagas.namespace)
        self.helm(
            "upgrade", "--install", "wf", str(CHART), *where, values={**self.values, **values}
        )
        rollout = ("rollout", "status", "deployment/wf", "--timeout=50s")
        self.sagas.kubectl("-n", self.sagas.namespace, *rollout)

    def test(self) -> None:
        """`helm test`; where it fails, with what its pod and the controllers say."""
        where = ("-n", self.sagas.namespace)
        tested = self.helm.run("test", "wf", *where, "--timeout", "90s")
        if tested.returncode:
            every = ("--all-containers", "--prefix", "--ignore-errors")
            told = [
                self.sagas.kubectl.run(*where, *what).stdout
                for what in (
                    ("get", "pods,saga", "-o", "wide"),
                    ("describe", "pod", "wf-test"),
                    ("logs", "wf-test", *every),
                    ("logs", "-l", "app.kubernetes.io/component=controller", *every),
                )
            ]
            raise AssertionError("\n".join([tested.stderr, *told]))
