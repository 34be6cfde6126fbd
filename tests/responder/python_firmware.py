"""Firmware in Python, written from the flow charts of the BMC's end, over the registers of each chip.

It is a coroutine: it goes on when the host has done something. `Firmware.service` is the interrupt handler.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from baseboard.responder import AspeedIbt, AspeedKcs, Npcm7xxKcs

Execute = Callable[[bytes], bytes]
"""Network function to data in; network function, command, completion code, data out. Empty: no answer."""


def echo(request: bytes) -> bytes:
    """The request's data, backwards."""
    return bytes((request[0] | 4, request[1], 0)) + request[:1:-1]


class AspeedPort:
    """A KCS channel of Aspeed's block."""

    OFFSETS = {1: (0x24, 0x30, 0x3C), 2: (0x28, 0x34, 0x40), 3: (0x2C, 0x38, 0x44), 4: (0x114, 0x118, 0x11C)}

    def __init__(self, block: AspeedKcs, channel: int) -> None:
        self.block = block
        self.channel = channel
        self.input, self.output, self.status = self.OFFSETS[channel]

    def start(self) -> None:
        for offset, bits in ((0x00, 0xE0), (0x08, 0x0E), (0x10, 0x04), (0x100, 0x03)):
            self.block.write(offset, 4, self.block.read(offset, 4) | bits)
        self.write_status(0)

    @property
    def irq(self) -> bool:
        return self.block.lines[self.block.chip.kcs_interrupts[self.channel - 1]].level

    def read_status(self) -> int:
        return self.block.read(self.status, 4)

    def write_status(self, value: int) -> None:
        self.block.write(self.status, 4, value)

    def read_input(self) -> int:
        return self.block.read(self.input, 4)

    def write_output(self, value: int) -> None:
        self.block.write(self.output, 4, value)


class Npcm7xxPort:
    """A KCS channel of Nuvoton's block."""

    def __init__(self, block: Npcm7xxKcs, channel: int) -> None:
        self.block = block
        self.channel = channel
        self.base = {1: 0x0C, 2: 0x1E, 3: 0x30}[channel]

    def start(self) -> None:
        self.block.write(self.base + 0x10, 1, 0x09)
        self.block.write(self.base + 0x0C, 1, 0xC1)
        self.write_status(0)

    @property
    def irq(self) -> bool:
        return self.block.irq

    def read_status(self) -> int:
        return self.block.read(self.base, 1)

    def write_status(self, value: int) -> None:
        self.block.write(self.base, 1, value)

    def read_input(self) -> int:
        return self.block.read(self.base + 4, 1)

    def write_output(self, value: int) -> None:
        self.block.write(self.base + 2, 1, value)


Port = AspeedPort | Npcm7xxPort
OBF, IBF, COMMAND, STATE = 0x01, 0x02, 0x08, 0xC0
IDLE, READ, WRITE, ERROR = 0x00, 0x40, 0x80, 0xC0
START, END, ABORT, NEXT = 0x61, 0x62, 0x60, 0x68
LONGEST = 272


class Restart(Exception):
    """A command that begins something new came where data was due."""


class KcsFirmware:
    """[IPMI Figures 9-6 and 9-7]"""

    def __init__(self, port: Port, execute: Execute = echo) -> None:
        self.port = port
        self.execute = execute
        self.codes: list[int] = []
        """Status codes that an error set."""
        self.restart()

    def restart(self) -> None:
        """From its first instruction."""
        self.port.start()
        self.flow = self.chart()
        next(self.flow)

    def service(self) -> bool:
        """What the interrupt does; whether there was anything to do."""
        if not self.port.read_status() & IBF:
            return False
        next(self.flow)
        return True

    def show(self, state: int) -> None:
        self.port.write_status(self.port.read_status() & ~STATE | state)

    def chart(self) -> Iterator[None]:
        command = -1
        while True:
            try:
                if command < 0:
                    command = yield from self.command()
                handler = {START: self.transfer, ABORT: self.abort}.get(command)
                command = -1
                if handler is None:
                    self.illegal()
                else:
                    yield from handler()
            except Restart as again:
                command = again.args[0]

    def command(self) -> Generator[None, None, int]:
        """Wait for one; data in its place is an error."""
        while True:
            yield
            is_command = self.port.read_status() & COMMAND
            if not is_command:
                self.port.read_input()
                self.illegal()
                continue
            self.show(WRITE)
            self.port.write_output(0)
            return self.port.read_input()

    def data(self, state: int, *, dummy: bool = True) -> Generator[None, None, int]:
        """Wait for data, show `state`, take it; a command in its place ends what is under way."""
        yield
        if self.port.read_status() & COMMAND:
            self.show(WRITE)
            self.port.write_output(0)
            raise Restart(self.port.read_input())
        self.show(state)
        if dummy:
            self.port.write_output(0)
        return self.port.read_input()

    def transfer(self) -> Iterator[None]:
        self.code = 0
        request = bytearray()
        try:
            while True:
                request.append((yield from self.data(WRITE)))
                if len(request) > LONGEST:
                    self.refuse(6)
                    return
        except Restart as end:
            if end.args[0] != END:
                raise self.given_up(end) from None
        try:
            request.append((yield from self.data(READ, dummy=False)))
        except Restart as end:
            raise self.given_up(end) from None
        if len(request) < 2:
            self.refuse(6)
            return
        answer = self.execute(bytes(request))
        if answer:
            yield from self.read_out(answer)

    def read_out(self, answer: bytes) -> Iterator[None]:
        try:
            for i, byte in enumerate(answer):
                self.port.write_output(byte)
                value = yield from self.data(IDLE if i == len(answer) - 1 else READ, dummy=False)
                if value != NEXT:
                    self.illegal()
                    return
        except Restart as end:
            raise self.given_up(end) from None
        self.port.write_output(0)

    def abort(self) -> Iterator[None]:
        code, self.code = self.code, 0
        yield from self.data(READ, dummy=False)
        yield from self.read_out(bytes((code,)))

    code = 0

    def given_up(self, end: Restart) -> Restart:
        if end.args[0] == ABORT:
            self.code = 1
            self.codes.append(1)
        return end

    def illegal(self) -> None:
        self.refuse(2)

    def refuse(self, code: int) -> None:
        self.code = code
        self.codes.append(code)
        self.show(ERROR)
        self.port.write_output(0)


class BtFirmware:
    """[IPMI 11.7], over iBT."""

    CONTROL, FIFO, CR0, CR1, CR2 = 0x10, 0x14, 0x00, 0x04, 0x08
    CLR_WR, CLR_RD, H2B, B2H, SMS, H_BUSY, B_BUSY = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40, 0x80

    def __init__(self, block: AspeedIbt, execute: Execute = echo) -> None:
        self.block = block
        self.execute = execute
        self.answer = b""
        self.restart()

    def restart(self) -> None:
        self.answer = b""
        self.block.write(self.CR0, 4, 0x00E4A00D)
        self.block.write(self.CR1, 4, 0x41)
        self.set(self.CLR_WR | self.CLR_RD)
        self.busy(False)

    def set(self, bits: int) -> None:
        self.block.write(self.CONTROL, 4, bits)

    def control(self) -> int:
        return self.block.read(self.CONTROL, 4)

    def busy(self, busy: bool) -> None:
        if bool(self.control() & self.B_BUSY) != busy:
            self.set(self.B_BUSY)

    def service(self) -> bool:
        self.block.write(self.CR2, 4, self.block.read(self.CR2, 4))
        worked = False
        if not self.answer and self.control() & self.H2B:
            self.take()
            worked = True
        if self.answer and not self.control() & (self.B2H | self.H_BUSY):
            self.set(self.CLR_WR)
            for byte in self.answer:
                self.block.write(self.FIFO, 4, byte)
            self.answer = b""
            self.set(self.B2H)
            worked = True
        self.busy(bool(self.answer))
        return worked

    def take(self) -> None:
        self.busy(True)
        self.set(self.CLR_RD)
        length = self.block.read(self.FIFO, 4)
        message = bytes(self.block.read(self.FIFO, 4) for _ in range(length))
        self.set(self.H2B)
        if length < 3:
            return
        answer = self.execute(message[:1] + message[2:])
        if answer:
            framed = answer[:1] + message[1:2] + answer[1:]
            self.answer = bytes((len(framed) & 0xFF,)) + framed[:255]
