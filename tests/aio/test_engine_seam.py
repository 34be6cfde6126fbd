"""Between the host's thread and the loop: what waits there does not grow with what the host does."""

from __future__ import annotations

import asyncio

from tests.interface.conversation import echo

from baseboard.aio.engine_seam import EngineSeam
from baseboard.interface.bt import Bt
from baseboard.interface.seam import EngineEvent

BMC_HWRST = 0x80
TIMES = 1000


def test_a_host_that_resets_the_interface_while_the_loop_is_busy() -> None:
    """The loop looks once or twice for all of them, and no wait is left over."""

    async def main() -> int:
        device = Bt()
        looks = 0
        next_event = device.engine.next_event

        def counted() -> EngineEvent | None:
            nonlocal looks
            looks += 1
            return next_event()

        device.engine.next_event = counted  # type: ignore[method-assign]  # nothing else tells
        seam = EngineSeam(device.engine, echo, lambda now: None, "--vfio-user")
        with seam.lock:
            for _ in range(TIMES):
                device.latch.write_mask(BMC_HWRST)
        await asyncio.sleep(0)
        seam.settle()
        return looks

    assert asyncio.run(main()) == 2, "the reset, and nothing more"
