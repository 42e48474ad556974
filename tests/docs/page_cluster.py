"""A cluster in which pages are tried one after the other, each as if it were the first."""

import re
import shutil
from pathlib import Path

import attrs
from tests.cluster.kubectl import Kubectl
from tests.docs.page_run import Site
from tests.docs.pages import Page
from tests.k8s.chart_helm import Helm

from wf_core.model.spec import API_VERSION

GROUP = API_VERSION.partition("/")[0]


@attrs.frozen
class PageCluster:
    """An API server of the pages' own: what they leave behind is removed, whatever holds it."""

    kubectl: Kubectl
    helm: Helm
    stand_ins: Path
    folder: Path

    def site(self, page: Page) -> Site:
        """Where the commands of a page are typed: in a namespace of its own."""
        self._clear()
        name = re.sub(r"[\W_]+", "-", page.name.lower()).strip("-")
        self.kubectl("create", "namespace", name)
        file = self.folder / f"{name}.kubeconfig"
        shutil.copy(self.kubectl.kubeconfig, file)
        self.kubectl.speaking_from(file)("config", "set-context", "--current", "--namespace", name)
        programs = (self.stand_ins, self.kubectl.program.parent, self.helm.program.parent)
        return Site(self.folder / name, programs, {"KUBECONFIG": str(file), "KUBERC": "off"})

    def _clear(self) -> None:
        """Take away what the page before installed, and our definitions with all their objects."""
        self.helm("uninstall", "wf", "--namespace", "workflow-system", "--ignore-not-found")
        for each in self.kubectl.json("get", "crd")["items"]:
            if each["spec"]["group"] == GROUP:
                self._remove(each["metadata"]["name"])

    def _remove(self, definition: str) -> None:
        # Nobody is left who would undo anything and then let go.
        for each in self.kubectl.json("get", definition, "--all-namespaces")["items"]:
            place = (each["metadata"]["name"], "--namespace", each["metadata"]["namespace"])
            let_go = ('{"metadata": {"finalizers": null}}', "--type=merge")
            self.kubectl("patch", definition, *place, "--patch", *let_go)
        self.kubectl("delete", "crd", definition, "--timeout=30s")
