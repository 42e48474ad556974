"""Those who order, cancel and delete, with kubectl and straight at the API server, again and again
until it takes what they say."""

import json
import time
from collections.abc import Sequence

import attrs
from tests.campaign.orders import Fate, Order
from tests.campaign.records import Stored
from tests.cluster.kubectl import Kubectl
from tests.k8s.crd_objects import request

from wf_core.model.phases import Phase

AT_ONCE = 25
"""Workflows that are ordered together."""
PAUSE = 0.3


@attrs.frozen
class People:
    """They see what is stored as `stored` tells it."""

    kubectl: Kubectl
    stored: Stored
    callback: str

    def order(self, orders: Sequence[Order]) -> None:
        """Order everything, and ask for what has to be asked for as soon as it is under way."""
        asking = {each.name: each for each in orders if each.fate in (Fate.CANCELLED, Fate.DELETED)}
        for start in range(0, len(orders), AT_ONCE):
            together = [each.document(self.callback) for each in orders[start : start + AT_ONCE]]
            listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": together})
            self._until_taken("apply", "-f", "-", stdin=listing)
            self._ask(asking)
        while asking:
            self._ask(asking)
            time.sleep(PAUSE)

    def _ask(self, asking: dict[str, Order]) -> None:
        for name, order in list(asking.items()):
            life = self.stored.lives.get(name)
            if life is None or life.last.status.phase is Phase.PENDING:
                continue
            del asking[name]
            if order.fate is Fate.DELETED:
                self._until_taken("delete", "saga", name, "--wait=false", "--ignore-not-found")
            else:
                self._until_taken("patch", "saga", name, "--type=merge", "-p", _cancel())

    def _until_taken(self, *arguments: str, stdin: str | None = None) -> None:
        while self.kubectl.run("-n", "default", *arguments, stdin=stdin).returncode:
            time.sleep(PAUSE)


def _cancel() -> str:
    """A merge patch: it may be sent again without adding a second request."""
    return json.dumps({"spec": {"requests": [request("stop-it")]}})
