"""A real deployment for tests: the programs of `symbolon dev`, each a process to be stopped, frozen, started."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
MANAGERS = ("kfm-1", "kfm-2", "kfm-3")
ROLES = ("access-manager", *MANAGERS)
PATIENCE = 60.0

# Ends what is left when this process ends, however it does, and takes the folder away.
_GUARDIAN = """
trap '' INT TERM HUP
pids=
while read -r op pid; do
    kept=
    for p in $pids; do [ "$p" = "$pid" ] || kept="$kept $p"; done
    pids=$kept
    [ "$op" = + ] && pids="$pids $pid"
done
for p in $pids; do kill -KILL "$p" 2>/dev/null; done
rm -rf -- "$1"
"""


def program(name: str) -> str:
    """Give a program under test: in `$SYMBOLON_BINARIES`, or else where cargo puts it."""
    folder = os.environ.get("SYMBOLON_BINARIES")
    return str((Path(folder) if folder else ROOT / "target" / "debug") / name)


def symbolon() -> str:
    return program("symbolon")


def another_clock(offset: str) -> dict[str, str]:
    """Give the environment of a program whose clock is off so far."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return {"LD_PRELOAD": str(library), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _drain(stdout: IO[str]) -> None:
    with stdout:
        stdout.read()


class Deployment:
    """Three fragment managers and an access manager, and no gateway."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="symbolon-python-"))
        self._guardian = subprocess.Popen(
            ["/bin/sh", "-c", _GUARDIAN, "guardian", str(self.directory)], stdin=subprocess.PIPE
        )
        self._roles: dict[str, subprocess.Popen[str]] = {}
        subprocess.run(
            [symbolon(), "dev", "--prepare", "--directory", str(self.directory)],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.directory,
        )
        self.start(*ROLES)

    @property
    def profile(self) -> Path:
        """The profile of the first person, who may do everything."""
        return self.directory / "profile.toml"

    @property
    def running(self) -> list[str]:
        """The names of the roles that run."""
        return list(self._roles)

    def start(self, *roles: str, lying: bool = False, clock: str | None = None) -> None:
        """Start roles, or managers that lie in their place, and wait until they are ready."""
        environment = {} if clock is None else another_clock(clock)
        for role in roles:
            noun = "fragment-manager" if role in MANAGERS else role
            words = [program("symbolon-lying-manager")] if lying else [symbolon(), noun]
            config = self.directory / role / "config.toml"
            with (self.directory / f"{role}.log").open("a") as log:
                process = subprocess.Popen(
                    [*words, "run", "--config", str(config)],
                    env={**os.environ, **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            self._roles[role] = process
            self._tell("+", process)
        for role in roles:
            self._wait_until_ready(role)

    def _wait_until_ready(self, role: str) -> None:
        stdout = self._roles[role].stdout
        assert stdout is not None
        for line in stdout:
            if " is ready on " in line:
                # What it says from now on is not to fill the pipe.
                threading.Thread(target=_drain, args=(stdout,), daemon=True).start()
                return
        raise AssertionError(f"{role} ended:\n{(self.directory / f'{role}.log').read_text()}")

    def stop(self, *roles: str) -> None:
        """End roles, and wait for their end."""
        for role in roles:
            process = self._roles.pop(role)
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(PATIENCE)
            self._tell("-", process)

    def pause(self, *roles: str) -> None:
        """Freeze roles."""
        for role in roles:
            self._roles[role].send_signal(signal.SIGSTOP)

    def resume(self, *roles: str) -> None:
        """Let them go on."""
        for role in roles:
            self._roles[role].send_signal(signal.SIGCONT)

    def cli(
        self,
        *words: str,
        stdin: bytes = b"",
        profile: Path | None = None,
        passphrase_file: Path | None = None,
        code: int = 0,
        cwd: Path | None = None,
    ) -> bytes:
        """Run the command line as somebody, and give its standard output."""
        secret = [] if passphrase_file is None else ["--passphrase-file", str(passphrase_file)]
        ran = subprocess.run(
            [symbolon(), "--profile", str(profile or self.profile), *secret, *words],
            input=stdin,
            capture_output=True,
            check=False,
            cwd=cwd or self.directory,
            timeout=PATIENCE,
        )
        assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stderr.decode()}"
        return ran.stdout

    def owner(self, *words: str) -> bytes:
        """Run the command line as the owner."""
        return self.cli(*words, passphrase_file=self.directory / "owner" / "passphrase")

    def close(self) -> None:
        """End everything."""
        for process in self._roles.values():
            process.kill()
            self._tell("-", process)
            process.wait(PATIENCE)
        if self._guardian.stdin is not None:
            self._guardian.stdin.close()
        self._guardian.wait(PATIENCE)

    def _tell(self, operation: str, process: subprocess.Popen[str]) -> None:
        if self._guardian.stdin is not None:
            self._guardian.stdin.write(f"{operation} {process.pid}\n".encode())
            self._guardian.stdin.flush()
