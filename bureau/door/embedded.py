"""Site, worker and beat as children of one process: started together, restarted when they fall, gone with it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from bureau.door import child, lifeline
from bureau.door.demo import Home

SECONDS_TO_STOP = 6
SECONDS_TO_ANSWER = 60
RESTARTS_ALLOWED = 5  # of one child, each soon after the last, before its fault is taken to be lasting
SECONDS_TO_BE_SOUND = 30
ROOT = Path(__file__).resolve().parents[2]


class ChildrenKeepFalling(Exception):
    """A child ended again and again; `name` says which."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


class PortTaken(Exception):
    """Somebody else has the port, or this user may not have it."""


def reserve(port: int, *, patience: float = 1.0) -> socket.socket:
    """A socket bound to `port` on this machine only, not yet listening; raises PortTaken.

    `patience` in seconds covers a demo that was killed this moment and is still letting go.
    """
    deadline = time.monotonic() + patience
    while True:
        reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            reserved.bind(("127.0.0.1", port))
        except OSError as error:
            reserved.close()
            if time.monotonic() > deadline:
                raise PortTaken(port) from error
            time.sleep(0.1)
        else:
            return reserved


class Embedded:
    """A context: the children run inside it, on `home`, and write what they have to say to its `logs`."""

    def __init__(self, listening: socket.socket, *, home: Home):
        self.listening, self.home = listening, home
        self.port = listening.getsockname()[1]
        self.processes: dict[str, subprocess.Popen] = {}
        self.outputs: dict[str, IO] = {}
        self.falls = dict.fromkeys(child.CHILDREN, 0)
        self.started = dict.fromkeys(child.CHILDREN, 0.0)

    def __enter__(self) -> Self:
        try:
            self.listening.listen(256)
        except OSError as error:
            raise PortTaken(self.port) from error
        self.reading, self.writing = os.pipe()  # the writing end is ours alone: it is not inheritable
        (self.home.path / "logs").mkdir(exist_ok=True)
        for name in child.CHILDREN:
            self.outputs[name] = self.home.log(name).open("wb")
            self._start(name)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + SECONDS_TO_STOP
        for process in self.processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            finally:
                _kill_group(process.pid)
                process.wait()
        for output in self.outputs.values():
            output.close()
        os.close(self.reading)
        os.close(self.writing)

    def _start(self, name: str) -> None:
        passed = (self.reading, self.listening.fileno()) if name == "site" else (self.reading,)
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.started[name] = time.monotonic()
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "bureau.door.child", name],
            env=os.environ
            | {
                "BUREAU_HOME": str(self.home.path),
                "PYTHONPATH": path,
                "PYTHONUTF8": "1",
                lifeline.VARIABLE: str(self.reading),
                child.LISTENING: str(self.listening.fileno()),
            },
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            stdout=self.outputs[name],
            stderr=self.outputs[name],
            start_new_session=True,  # Ctrl-C is for us: we tell the children in good order
        )

    def look_after(self) -> str | None:
        """Start again whatever has ended, and return its name; raises ChildrenKeepFalling."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                _kill_group(process.pid)
                lived = time.monotonic() - self.started[name]
                self.falls[name] = self.falls[name] + 1 if lived < SECONDS_TO_BE_SOUND else 0
                if self.falls[name] > RESTARTS_ALLOWED:
                    raise ChildrenKeepFalling(name)
                time.sleep(0.5)
                self._start(name)
                return name
        return None

    def wait_until_it_answers(self) -> bool:
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while time.monotonic() < deadline:
            if _answers(self.port):
                return True
            self.look_after()
            time.sleep(0.1)
        return False

    def stay(self, *, tell: Callable[[str, Path], None]) -> None:
        """Look after the children until interrupted; `tell(name, log)` hears of those that had to be restarted."""
        while True:
            time.sleep(0.5)
            if fallen := self.look_after():
                tell(fallen, self.home.log(fallen))


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group that is only a zombie
        pass


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
