"""The exit code of a process in which hooks run: never better than what is saved.

A hook that calls `os._exit(0)` would end `wf run` with 0 while its workflow is Running. Nothing but
a parent could see that from outside, and a parent that is killed would leave an engine behind. So
while workflows run here, `os._exit` from a hook's thread ends the process with a code of ours. The
process is the command's own: nothing is patched where wf is a library, nor in forked children.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Never

_WORDS = (
    b"wf: error: a hook ended this process (os._exit); what it ran is found interrupted, and "
    b"`wf resume` goes on with it\n"
)


@contextmanager
def hooks_end_it_with(code: int) -> Iterator[None]:
    """While this lasts, a hook that ends the process makes it exit with `code`, and say so."""
    real, own = os._exit, os.getpid()

    def end(status: int) -> Never:
        if os.getpid() == own and threading.current_thread() is not threading.main_thread():
            with suppress(OSError):
                os.write(2, _WORDS)
            status = code
        real(status)

    os._exit = end
    try:
        yield
    finally:
        os._exit = real
