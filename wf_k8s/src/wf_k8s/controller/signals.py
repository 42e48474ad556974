"""SIGTERM and SIGINT: once ends in order, twice at once."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("wf.controller")
SIGNALS = (signal.SIGTERM, signal.SIGINT)
AT_ONCE = 130


@contextmanager
def caught() -> Iterator[asyncio.Event]:
    """While this lasts a signal sets the event."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def signalled() -> None:
        if asked.is_set():
            os._exit(AT_ONCE)  # what was saved stays; hooks are found interrupted
        asked.set()
        log.info("stopping; once more ends at once")

    for each in SIGNALS:
        loop.add_signal_handler(each, signalled)
    try:
        yield asked
    finally:
        for each in SIGNALS:
            loop.remove_signal_handler(each)
