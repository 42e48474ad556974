"""Ports that stay ours for as long as we want them."""

import socket


class Port:
    """A free port of 127.0.0.1, held by a socket that is bound and never listens.

    A program that shares its ports (SO_REUSEPORT) can listen on it, again and again; any other
    that looks for a free port is given another one. So nobody takes it between our choice and
    the program's start, nor while the program is down.
    """

    def __init__(self) -> None:
        self._held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("127.0.0.1", 0))
        self.number: int = self._held.getsockname()[1]

    def release(self) -> None:
        self._held.close()


def free_port() -> int:
    """A port that is free now, for a program that can't share its ports."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        tried.bind(("127.0.0.1", 0))
        number: int = tried.getsockname()[1]
        return number
