"""What the pages say of a cluster holds on a real API server. No node is there: no pod runs."""

import json

import pytest
from tests.cluster.kubectl import Kubectl
from tests.docs import yaml_blocks
from tests.docs.page_cluster import PageCluster
from tests.docs.page_run import run
from tests.docs.pages import Block, Where, every_page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGES = every_page()


def _in_a_cluster(block: Block) -> bool:
    return block.where is Where.CLUSTER


def test_commands_for_a_cluster_do_what_the_pages_show(
    page_cluster: PageCluster,
) -> None:
    """One page after the other, each as if it were the first."""
    found: list[str] = []
    for page in PAGES:
        if any(map(_in_a_cluster, page.blocks)):
            found += run(page, _in_a_cluster, page_cluster.site(page))
    assert not found, "\n\n".join(found)


@pytest.mark.cluster
def test_objects_of_kubernetes_are_accepted(request: pytest.FixtureRequest) -> None:
    objects = [
        (page.at(block), each)
        for page in PAGES
        for block in page.blocks
        if block.language == "yaml"
        for each in yaml_blocks.kubernetes_objects(block.text)
    ]
    for where, each in objects:
        # Asked for here, so that no cluster starts for nothing.
        kubectl: Kubectl = request.getfixturevalue("kubectl")
        namespace = each["metadata"].get("namespace", "default")
        if kubectl.run("get", "namespace", namespace).returncode:
            kubectl("create", "namespace", namespace)
        done = kubectl.run("create", "--dry-run=server", "-f", "-", stdin=json.dumps(each))
        assert done.returncode == 0, f"{where}: {done.stderr}"
