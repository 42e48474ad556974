"""What probes and scrapes are answered."""

from collections.abc import Callable, Mapping

from wf_core.errors import StoreUnavailable
from wf_k8s.telemetry.census import Census
from wf_k8s.telemetry.http import Answer, Page
from wf_k8s.telemetry.metrics import CONTENT_TYPE, Metrics


class Health:
    """What is known of the process; set by whoever runs it.

    `ailing` says why only a new process helps, `unready` why it can't work now; "" is neither.
    `lacking` tells at each look why not all that happens in the cluster is told to it.
    """

    def __init__(self, metrics: Metrics) -> None:
        self.ailing = ""
        self.unready = "starting"
        self.lacking: Callable[[], str] = lambda: ""
        self.census: Census | None = None
        self._metrics = metrics

    def pages(self) -> Mapping[str, Answer]:
        """By path."""
        return {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._scrape}

    async def _healthz(self) -> Page:
        return Page.of_text(503, self.ailing) if self.ailing else Page.of_text(200, "ok")

    async def _readyz(self) -> Page:
        why = self.ailing or self.unready or self.lacking()
        return Page.of_text(503, why) if why else Page.of_text(200, "ok")

    async def _scrape(self) -> Page:
        if self.census is not None:
            try:
                await self.census.count()
            except StoreUnavailable as error:
                return Page.of_text(503, str(error))
        return Page(200, self._metrics.text(), CONTENT_TYPE)
