"""One output stream of a command: into the log as it comes, up to a limit, in bounded memory."""

import codecs
from collections.abc import Callable

TAIL = 4096
LONG_LINE = 8192


class Output:
    """Takes bytes as they come and writes whole lines, at most `limit` bytes of them.

    What comes after the limit is counted and forgotten, but for the last `TAIL` bytes, which
    `close` adds: the end of an output says most. A line longer than `LONG_LINE` characters is
    written in pieces.
    """

    def __init__(self, write: Callable[[str], None], limit: int) -> None:
        self._write = write
        self._limit = limit
        self._total = 0
        self._tail = b""
        self._held = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> None:
        """Take what was just read."""
        room = max(self._limit - self._total, 0)
        self._total += len(data)
        self._tail = (self._tail + data)[-TAIL:]
        text = self._held + self._decoder.decode(data[:room])
        cut = text.rfind("\n") + 1
        if len(text) - cut > LONG_LINE:
            cut = len(text)
        self._held = text[cut:]
        self._emit(text[:cut])

    def close(self) -> None:
        """Write what is left, and say how much was dropped."""
        self._emit(self._held + self._decoder.decode(b"", final=True))
        self._held = ""
        over = self._total - self._limit
        if over <= 0:
            return
        end = self._tail[-min(over, TAIL) :]
        if dropped := over - len(end):
            self._write(f"... {dropped} bytes dropped: outputLimit is {self._limit} bytes ...")
        self._emit(end.decode("utf-8", "replace"))

    def last_lines(self, count: int) -> str:
        """The last `count` lines that are not blank."""
        lines = self._tail.decode("utf-8", "replace").splitlines()
        return "\n".join([line.rstrip() for line in lines if line.strip()][-count:])

    def _emit(self, text: str) -> None:
        if text:
            self._write(text.removesuffix("\n"))
