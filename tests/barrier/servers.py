"""PostgreSQL and MariaDB, started for tests: in a folder of their own, by nobody in particular,
without TCP. (Debian 12 has MariaDB's server and not MySQL's.)"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
from tests.barrier import addresses
from tests.cluster.binaries import UnavailableError
from tests.cluster.daemon import Daemon, Guard
from tests.cluster.debian import install
from tests.patience import PATIENCE

UNPRIVILEGED = "65534"  # nobody: both servers refuse to be root


@attrs.frozen
class Server:
    """A server that listens at a socket. `address` is for `addresses.connect`."""

    address: str
    socket: Path
    daemon: Daemon

    def start(self) -> None:
        """Start it and return once it answers. RuntimeError where it ends instead."""
        until = time.monotonic() + PATIENCE
        self.daemon.start()
        while not self.answers():
            self.daemon.check()
            if time.monotonic() > until:
                raise TimeoutError(f"{self.daemon.name} does not answer; see {self.daemon.log}")
            time.sleep(0.02)

    def answers(self) -> bool:
        # Not by the driver alone: one of them leaks the socket that it could not connect.
        with socket.socket(socket.AF_UNIX) as trial:
            if trial.connect_ex(str(self.socket)):
                return False
        try:
            addresses.connect(self.address).close()
        except addresses.errors_of(self.address):
            return False
        return True

    def crash(self) -> None:
        """SIGKILL it, and start it again on what it left."""
        self.daemon.kill()
        self.start()


@contextmanager
def postgres(say: Callable[[str], None]) -> Iterator[Server]:
    """A PostgreSQL server. Raises UnavailableError where there is none to be had."""
    programs = found(("initdb", "postgres"), ("postgresql",), say)
    with site("wf-pg-") as (folder, guard):
        data = folder / "data"
        made = ["--auth=trust", "--username=wf", "--encoding=UTF8", "--no-locale", "--no-sync"]
        prepare([programs[0], "--pgdata", str(data), *made], folder)
        # The machine stays up: what a killed server wrote is in the cache of its disk.
        flags = ["-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        daemon = Daemon(unprivileged([programs[1], *flags]), folder / "server.log", guard)
        with running(Server(f"postgres:{folder}", folder / ".s.PGSQL.5432", daemon)) as server:
            yield server


@contextmanager
def mariadb(say: Callable[[str], None]) -> Iterator[Server]:
    """A MariaDB server. Raises UnavailableError where there is none to be had."""
    needed = ("mariadb-install-db", "mariadbd", "my_print_defaults")
    programs = found(needed, ("mariadb-server-core", "mariadb-client-core"), say)
    with site("wf-my-") as (folder, guard):
        common = [
            "--no-defaults",
            f"--datadir={folder}/data",
            "--innodb-log-file-size=8M",
            "--innodb-buffer-pool-size=16M",
        ]
        made = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        prepare([programs[0], *common, *made], folder)
        first = folder / "first.sql"
        first.write_text("CREATE DATABASE IF NOT EXISTS wf CHARACTER SET utf8mb4;\n")
        first.chmod(0o644)
        flags = [
            *common,
            f"--socket={folder}/socket",
            f"--init-file={first}",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=2",
        ]
        daemon = Daemon(unprivileged([programs[1], *flags]), folder / "server.log", guard)
        with running(Server(f"mariadb:{folder}/socket", folder / "socket", daemon)) as server:
            yield server


def found(
    programs: Sequence[str], packages: Sequence[str], say: Callable[[str], None]
) -> list[str]:
    """The paths of programs, installed from Debian's packages where one is missing."""
    if not all(map(which, programs)):
        install(packages, say)
    there = {each: which(each) for each in programs}
    if lacking := [each for each, path in there.items() if path is None]:
        raise UnavailableError(f"{', '.join(lacking)} can't be found, though installed")
    return [str(path) for path in there.values()]


def which(program: str) -> str | None:
    """A program on the path, or where Debian puts servers."""
    versions = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    folders = [*versions, os.environ.get("PATH", os.defpath), "/usr/sbin"]
    return shutil.which(program, path=os.pathsep.join(folders))


@contextmanager
def site(prefix: str) -> Iterator[tuple[Path, Guard]]:
    """A folder whose path leaves room for a socket's name, and what ends what is left."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir="/tmp") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, int(UNPRIVILEGED), int(UNPRIVILEGED))
        guard = Guard(folder)
        try:
            yield folder, guard
        finally:
            guard.close()


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.daemon.stop()


def prepare(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(
        unprivileged(command), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def unprivileged(command: Sequence[str]) -> list[str]:
    """The command as somebody who is not root."""
    if os.geteuid() != 0:
        return list(command)
    who = [f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]
    return ["setpriv", *who, "--", *command]
