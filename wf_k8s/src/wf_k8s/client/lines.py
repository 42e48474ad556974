"""A watch's bytes to its lines, whatever pieces they come in."""


class Lines:
    """Collects bytes; gives each line once it is whole.

    A line may be as long as an object is, so nothing limits it but `most` bytes, beyond which the
    stream is no watch. What is left without an end when the stream ends was cut off and is dropped.
    """

    def __init__(self, most: int = 16 * 1024 * 1024) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends and without empty ones.

        Raises ValueError where a line is longer than `most`.
        """
        *whole, rest = data.split(b"\n")
        found = []
        for line in whole:
            if self._parts:
                self._parts.append(line)
                line = b"".join(self._parts)
                self._parts, self._size = [], 0
            if line.strip():
                found.append(line)
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
            if self._size > self._most:
                raise ValueError(f"a line of more than {self._most} bytes")
        return found

    @property
    def cut_off(self) -> bool:
        """Whether a line was begun and has not ended."""
        return bool(self._parts)
