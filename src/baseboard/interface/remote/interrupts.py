"""Interrupts of a device at the end of a vfio-user connection: event counters, masks, and when to fire.

Theory of operation
-------------------
Each interrupt is an event counter that the client gave. Writing to that of INTx masks it: the client asserts
the pin and takes it down again by itself, on some access of the guest's, and then unmasks. The level of
the function's pin may be up all the while, so that unmasking fires again while it is.  [vfio-user 0.9.2;
QEMU 11.1 takes any access to a BAR for the end of the interrupt]
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from baseboard.interface.bus.function import Function
from baseboard.interface.remote.stream import Descriptors
from baseboard.interface.remote.vfio_messages import DATA, Irq, IrqFlag, SetIrqs


class Refusal(Exception):
    """A message is answered with this error number."""

    def __init__(self, number: int) -> None:
        super().__init__(errno.errorcode[number])
        self.number = number


class Interrupts:
    """All of a function's, from its side and from the client's."""

    def __init__(self, function: Function, descriptors: Descriptors) -> None:
        self._function = function
        self._descriptors = descriptors
        self._counters: dict[Irq, int] = {}
        self._masked = False
        # fmt: off
        self._offered = {
            #          how many                     what they can do
            Irq.INTX: (1 if function.pin else 0,    IrqFlag.EVENTFD | IrqFlag.MASKABLE | IrqFlag.AUTOMASKED),
            Irq.MSI:  (1 if function.has_msi else 0, IrqFlag.EVENTFD | IrqFlag.NORESIZE),
            Irq.MSIX: (0,                           IrqFlag(0)),
            Irq.ERR:  (1,                           IrqFlag.EVENTFD | IrqFlag.NORESIZE),  # or QEMU warns
            Irq.REQ:  (0,                           IrqFlag(0)),
        }
        # fmt: on
        function.intx = self._pin_changed
        function.msi = self._message

    def info(self, index: int) -> tuple[int, int]:
        """Flags and count."""
        count, flags = self._offer(index)
        return (flags if count else 0), count

    def set(self, flags: int, index: int, start: int, count: int, data: bytes, given: list[int]) -> None:
        """DEVICE_SET_IRQS; a counter that is kept is taken out of `given`.  Raises Refusal."""
        offered, can = self._offer(index)
        act = _ACTIONS.get(flags & ~DATA)
        kind = flags & DATA
        if act is None or start + count > offered or not can:
            raise Refusal(errno.EINVAL)
        if kind == SetIrqs.DATA_NONE and not data and not given:
            act(self, Irq(index), count, None)
        elif kind == SetIrqs.DATA_BOOL and len(data) == count and not given:
            if any(data):
                act(self, Irq(index), count, None)
        elif kind == SetIrqs.DATA_EVENTFD and not data and len(given) <= count:
            act(self, Irq(index), count, given)
        else:
            raise Refusal(errno.EINVAL)

    def disconnect(self) -> None:
        """The client is gone, and its counters with it."""
        for index in tuple(self._counters):
            self._drop(index)
        self._masked = False

    def _offer(self, index: int) -> tuple[int, IrqFlag]:
        try:
            return self._offered[Irq(index)]
        except ValueError:
            raise Refusal(errno.EINVAL) from None

    # Actions of the client.

    def _trigger(self, index: Irq, count: int, given: list[int] | None) -> None:
        """Give a counter, take it away (no counter, or none of them), or have it fire once for a trial."""
        if given is None and count:
            self._fire(index)
            return
        self._drop(index)
        if given:
            self._counters[index] = given.pop(0)
            if index is Irq.INTX:
                self._masked = False
                self._pin_changed(self._function.level)

    def _mask(self, index: Irq, count: int, given: list[int] | None) -> None:
        if index is not Irq.INTX or given is not None:
            raise Refusal(errno.EINVAL)
        self._masked = self._masked or bool(count)

    def _unmask(self, index: Irq, count: int, given: list[int] | None) -> None:
        """A counter that would unmask (KVM's resampling) is refused, and QEMU then does it by messages."""
        if index is not Irq.INTX or given is not None:
            raise Refusal(errno.EINVAL)
        if count:
            self._masked = False
            self._pin_changed(self._function.level)

    # The function's side.

    def _pin_changed(self, level: bool) -> None:
        if level and not self._masked and Irq.INTX in self._counters:
            self._masked = True
            self._fire(Irq.INTX)

    def _message(self, address: int, data: int) -> None:
        self._fire(Irq.MSI)

    def _fire(self, index: Irq) -> None:
        if index in self._counters:
            self._descriptors.signal(self._counters[index])

    def _drop(self, index: Irq) -> None:
        if index in self._counters:
            self._descriptors.close(self._counters.pop(index))


_ACTIONS: dict[int, Callable[[Interrupts, Irq, int, list[int] | None], None]] = {
    SetIrqs.ACTION_TRIGGER: Interrupts._trigger,
    SetIrqs.ACTION_MASK: Interrupts._mask,
    SetIrqs.ACTION_UNMASK: Interrupts._unmask,
}
