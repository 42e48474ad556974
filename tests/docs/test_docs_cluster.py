"""What the pages say of a cluster holds on a real API server. No node is there: no pod runs."""

import json
from collections.abc import Iterator

import pytest
from tests.cluster.kubectl import Kubectl
from tests.docs import yaml_blocks
from tests.docs.page_cluster import PageCluster
from tests.docs.page_run import run
from tests.docs.pages import Block, Page, Where, every_page


def _in_a_cluster(block: Block) -> bool:
    return block.where is Where.CLUSTER


def _refused(page: Page, kubectl: Kubectl) -> Iterator[str]:
    """The objects of Kubernetes in a page that the API server would not take."""
    for block in page.blocks:
        for each in yaml_blocks.kubernetes_objects(block.text) if block.language == "yaml" else ():
            namespace = each["metadata"].get("namespace", "default")
            if kubectl.run("get", "namespace", namespace).returncode:
                kubectl("create", "namespace", namespace)
            done = kubectl.run("create", "--dry-run=server", "-f", "-", stdin=json.dumps(each))
            if done.returncode:
                yield f"{page.at(block)}: {done.stderr}"


@pytest.mark.slow
def test_commands_and_objects_for_a_cluster_are_what_the_pages_say(
    page_cluster: PageCluster,
) -> None:
    """One page after the other, each as if it were the first."""
    found: list[str] = []
    for page in every_page():
        found += _refused(page, page_cluster.kubectl)
        if any(map(_in_a_cluster, page.blocks)):
            found += run(page, _in_a_cluster, page_cluster.site(page))
    assert not found, "\n\n".join(found)
