"""Orders to a machine, done one after the other by one task."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from baseboard.bmc.events import PowerAction, RestartCause

MAXIMUM_WAITING = 8

Order = tuple[PowerAction, RestartCause]


class Orders:
    """A short queue. An order that repeats the last one waiting is that one.

    When it is full the oldest order gives way: what was asked last is what somebody wants.
    """

    def __init__(self, carry_out: Callable[[PowerAction, RestartCause], Awaitable[None]]) -> None:
        self._carry_out = carry_out
        self._waiting: deque[Order] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, action: PowerAction, cause: RestartCause) -> None:
        """Add an order and return."""
        if self._waiting and self._waiting[-1][0] is action:
            return
        if len(self._waiting) == MAXIMUM_WAITING:
            self._waiting.popleft()
        self._waiting.append((action, cause))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            await self._carry_out(*self._waiting.popleft())

    async def settled(self) -> None:
        """Wait until nothing is left to do."""
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})
        if self._task is not None and not self._task.cancelled():
            self._task.result()

    async def close(self) -> None:
        """Forget what waits and break off what is being done."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
