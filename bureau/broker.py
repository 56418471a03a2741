"""The broker of an embedded installation: messages are files in a folder, no server needed.

kombu's filesystem transport with its two races closed. It creates a message file first and fills it afterwards, so
that a quick worker takes an empty one and stops; and two processes that bind a queue at the same moment of a first
start read each other's empty table.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """Folders come from the transport options: `data_folder_in` (= `data_folder_out`) and `control_folder`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.messages = Path(self.data_folder_out)
        self.messages.mkdir(parents=True, exist_ok=True)
        Path(self.control_folder).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _tables(self) -> Iterator[None]:
        with open(Path(self.control_folder) / "lock", "ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _queue_bind(self, *args):
        with self._tables():
            super()._queue_bind(*args)

    def get_table(self, exchange):
        with self._tables():
            return super().get_table(exchange)

    def _put(self, queue, payload, **kwargs):
        name = f"{time.time_ns()}_{uuid.uuid4()}"
        draft = self.messages / f"{name}.draft"
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.rename(self.messages / f"{name}.{queue}.msg")

    def _get(self, queue):
        for name in sorted(os.listdir(self.messages)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = self.messages / f"{name}.taken"
            try:
                (self.messages / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
            return loads(text)
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel
