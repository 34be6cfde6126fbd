"""A PCI function of ours at a socket, with a controller behind it that takes its time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path

from baseboard.aio.functions import FunctionPort
from baseboard.interface import RequestReceived
from baseboard.interface.bus.function import Function
from baseboard.interface.remote import VfioUser
from baseboard.interface.seam import Engine
from baseboard.ipmi.message import Context, Handler, Message


class Served:
    """`function` over vfio-user; `handler` answers the engine's requests after `delay` seconds, which may be
    changed while a guest runs. The work is done in threads of its own, so that a test may block.
    """

    def __init__(self, path: Path, function: Function, engine: Engine, handler: Handler) -> None:
        self.delay = 0.0
        self.asked: list[Message] = []
        self.path = path
        self._engine = engine
        self._handler = handler
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._port = FunctionPort(path, "--vfio-user", function, VfioUser, self._lock)
        engine.wake = lambda: self._later(0.0, self._pump)
        self._thread = threading.Thread(target=self._loop.run_forever, name="served", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._port.start(), self._loop).result(10)

    @property
    def device(self) -> tuple[str, str]:
        """QEMU's option."""
        socket = {"type": "unix", "path": str(self.path)}
        return "-device", json.dumps({"driver": "vfio-user-pci", "socket": socket})

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._port.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _later(self, delay: float, call: Callable[..., None], *arguments: object) -> None:
        if delay:
            self._loop.call_later(delay, call, *arguments)
        else:
            self._loop.call_soon_threadsafe(call, *arguments)

    def _pump(self) -> None:
        with self._lock:
            events = list(iter(self._engine.next_event, None))
        for event in events:
            if isinstance(event, RequestReceived):
                self.asked.append(event.message)
                answer = self._handler(event.message, Context(now=self._loop.time()))
                self._later(self.delay, self._respond, event.id, answer)

    def _respond(self, id_: int, answer: bytes) -> None:
        with self._lock:
            self._engine.respond(id_, answer)
