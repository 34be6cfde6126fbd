"""The thread before a binding whose machine goes and hangs: requests are answered, and none is hoarded."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from baseboard.attach.binding import Clock
from baseboard.attach.errors import AttachError
from baseboard.attach.worker import MOST_ASKED, Worker
from baseboard.host.registers import RegisterResponder
from baseboard.host.seam import Answered, ResponderEvent
from baseboard.interface.driver import Direct
from baseboard.interface.kcs import Kcs, KcsDriver
from baseboard.ipmi.message import Message

DEADLINE = 30.0


class Gone:
    """A machine that ends as soon as it is looked at."""

    def __init__(self) -> None:
        self.responder = RegisterResponder(KcsDriver(Direct(Kcs().registers)), lambda: False)
        self.clock = Clock()

    def found(self) -> dict[str, Any]:
        return {}

    def turn(self) -> bool:
        raise AttachError("it is gone")

    def wait(self, timeout: float, also: Sequence[Any] = ()) -> None:
        raise AssertionError("nobody waits for it")

    def detach(self) -> None:
        pass


def test_while_the_thread_hears_nothing_requests_are_bounded() -> None:
    attaching, answering = threading.Event(), threading.Event()
    first = [Gone()]

    def open_() -> Gone:
        if first:
            return first.pop()
        attaching.set()
        answering.wait(DEADLINE)
        raise AttachError("still gone")

    async def conversation() -> Counter[bytes]:
        answers: dict[int, bytes] = {}
        complete = asyncio.Event()

        def deliver(event: ResponderEvent) -> None:
            if isinstance(event, Answered):
                assert event.id not in answers
                answers[event.id] = event.data
                if len(answers) == 2 * MOST_ASKED:
                    complete.set()

        worker = Worker(open_)
        await worker.start(deliver)
        assert await asyncio.to_thread(attaching.wait, DEADLINE)
        for id_ in range(2 * MOST_ASKED):
            worker.submit(id_, Message(6, 0, 1), 0.0)
        for _ in range(4 * MOST_ASKED):  # of a machine that is reset again and again
            worker.abandon(-1, 0.0)
        assert len(worker._asked) == 2 * MOST_ASKED
        for code in range(4 * MOST_ASKED):  # of a host that starts again and again
            worker.post(code & 0xFF)
        assert len(worker._asked) == 2 * MOST_ASKED
        await asyncio.sleep(0)
        assert Counter(answers.values()) == {b"\xc0": MOST_ASKED}
        answering.set()
        async with asyncio.timeout(DEADLINE):
            await complete.wait()
        await worker.close()
        counters = worker.counters()
        assert (counters["busy"], counters["gone"]) == (MOST_ASKED, MOST_ASKED)
        return Counter(answers.values())

    assert asyncio.run(conversation()) == {b"\xc0": MOST_ASKED, b"\xff": MOST_ASKED}
