"""Receivers of callbacks that fail, answer late, or take a callback and lose their answer."""

import asyncio
from typing import TYPE_CHECKING

from wf_core.ports import Delivered, Delivery, Receipt
from wf_core.saga.backoff import fraction

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage

_TIMEOUT = 5.0


class SimulatedSender:
    """Implements `ports.CallbackSender`. What a receiver does depends on its address, the event and
    how often it was sent, not on who sends it."""

    def __init__(self, stage: "Stage", process: "Process", observer: "Observer") -> None:
        self._stage = stage
        self._process = process
        self._observer = observer

    async def send(self, delivery: Delivery) -> Receipt:
        """One attempt."""
        stage = self._stage
        n = self._observer.sent(delivery)
        chance = fraction(stage.world.seed, delivery.event_id, n)
        troubled = "troubled" in delivery.url and not stage.calm.is_set()
        if stage.now < stage.receiver_down_until:
            await asyncio.sleep(_TIMEOUT)
            return self._answer(delivery, Receipt(Delivered.RETRY, "no answer"))
        if troubled and chance < 0.2:
            return self._answer(delivery, Receipt(Delivered.RETRY, "503", after=chance * 100))
        if troubled and chance < 0.25:
            self._observer.refused(delivery)
            return self._answer(delivery, Receipt(Delivered.DROPPED, "410"))
        if troubled and chance < 0.4:
            await asyncio.sleep(chance * 10)
        if troubled and chance < 0.5:
            self._taken(delivery)
            stage.met("callback AnswerLost")
            await asyncio.sleep(_TIMEOUT)
            return Receipt(Delivered.RETRY, "its answer was lost")
        self._taken(delivery)
        return self._answer(delivery, Receipt(Delivered.DELIVERED))

    async def close(self) -> None:
        """Nothing is open."""

    def _taken(self, delivery: Delivery) -> None:
        if self._process.alive:
            self._observer.delivered(delivery)

    def _answer(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        self._stage.note(f"p{self._process.number} callback {delivery.event_id} {receipt.result}")
        self._stage.met(f"callback {receipt.result}")
        return receipt
