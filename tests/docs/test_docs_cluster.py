"""What the pages say of a cluster holds on a real API server. No node is there: no pod runs."""

import json
from collections.abc import Callable

import pytest
from tests.cluster.kubectl import Kubectl
from tests.docs import yaml_blocks
from tests.docs.page_run import Site, run
from tests.docs.pages import Block, Page, Where, every_page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGES = every_page()


def _in_a_cluster(block: Block) -> bool:
    return block.where is Where.CLUSTER


def test_commands_for_a_cluster_do_what_the_pages_show(
    cluster_site: Callable[[Page], Site],
) -> None:
    """One page after the other: each leaves behind what its reader would."""
    found: list[str] = []
    for page in PAGES:
        if any(map(_in_a_cluster, page.blocks)):
            found += run(page, _in_a_cluster, cluster_site(page))
    assert not found, "\n\n".join(found)


def test_objects_of_kubernetes_are_accepted(kubectl: Kubectl) -> None:
    for page in PAGES:
        for block in page.blocks:
            for each in yaml_blocks.kubernetes_objects(block.text) if _is_yaml(block) else ():
                text = json.dumps(each)
                done = kubectl.run("create", "--dry-run=server", "-f", "-", stdin=text)
                assert done.returncode == 0, f"{page.at(block)}: {done.stderr}"


def _is_yaml(block: Block) -> bool:
    return block.language == "yaml"
