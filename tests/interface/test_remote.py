"""The two protocols by which a machine's monitor reaches our PCI functions, in bytes.

Messages of QEMU are those that QEMU 11.1 (vfio-user-pci) and 7.2 (x-pci-proxy-dev) were seen to send.
"""

from __future__ import annotations

import errno
import json
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interface.conversation import echo

from baseboard.interface import HandlerSeam
from baseboard.interface.bt import Bt
from baseboard.interface.bus import Interface, PciFunction, SmBus
from baseboard.interface.bus.function import Function
from baseboard.interface.bus.i801 import I801Function
from baseboard.interface.kcs import Kcs
from baseboard.interface.remote import MessageStream, PciProxy, VfioUser
from baseboard.interface.remote.stream import MOST_DESCRIPTORS
from baseboard.interface.smic import Smic
from baseboard.interface.ssif import Ssif


class Fds:
    """File descriptors as a shell has them."""

    def __init__(self) -> None:
        self.signalled: list[int] = []
        self.closed: list[int] = []

    def signal(self, descriptor: int) -> None:
        self.signalled.append(descriptor)

    def close(self, descriptor: int) -> None:
        self.closed.append(descriptor)


def kcs(**options: object) -> PciFunction:
    device = Kcs()
    HandlerSeam(device.engine, echo)
    device.engine.set_interrupt(True)
    return PciFunction(device, Interface.KCS, **options)  # type: ignore[arg-type]


# vfio-user

VERSION = (
    "0000 0100 b2000000 00000000 00000000 0000 0000"
    + (
        b'{"capabilities": {"max_dma_maps": 65535, "max_data_xfer_size": 1048576, "migration": '
        b'{"pgsize": 4096}, "max_msg_fds": 16, "pgsizes": 4096, "write_multiple": true}}\0'
    ).hex()
)
"""QEMU 11.1's first message."""


def message(command: int, payload: bytes = b"", *, id_: int = 7, flags: int = 0) -> bytes:
    return struct.pack("<HHIII", id_, command, 16 + len(payload), flags, 0) + payload


def sized(text: str) -> bytes:
    data = bytearray.fromhex(text)
    data[4:8] = len(data).to_bytes(4, "little")
    return bytes(data)


class Client:
    """The other end, one message at a time."""

    def __init__(self, function: PciFunction, *, greet: bool = True) -> None:
        self.fds = Fds()
        self.machine = VfioUser(function, self.fds)
        if greet:
            self.send(sized(VERSION))
            self.greeting = self.machine.data_to_send()

    def send(self, data: bytes, *descriptors: int) -> None:
        self.machine.receive_data(data, descriptors)

    def ask(self, command: int, payload: str = "", *descriptors: int) -> str:
        """What follows the header of the answer, in hex; or the name of the error."""
        self.send(message(command, bytes.fromhex(payload)), *descriptors)
        answer = self.machine.data_to_send()
        id_, echoed, size, flags, error = struct.unpack_from("<HHIII", answer)
        assert (id_, echoed, size) == (7, command, len(answer)), "number and command come back"
        if flags == 0x21:
            assert size == 16
            return errno.errorcode[error]
        assert (flags, error) == (1, 0)
        return answer[16:].hex()

    def set_irqs(self, flags: int, index: int, count: int, *fds: int, data: bytes = b"") -> str:
        return self.ask(8, struct.pack("<5I", 20, flags, index, 0, count).hex() + data.hex(), *fds)

    def read(self, region: int, offset: int, count: int) -> str:
        answer = self.ask(9, struct.pack("<QII", offset, region, count).hex())
        return answer[32:] or answer

    def write(self, region: int, offset: int, data: str) -> str:
        return self.ask(10, struct.pack("<QII", offset, region, len(data) // 2).hex() + data)


NONE_TRIGGER, NONE_MASK, NONE_UNMASK = 0x21, 0x09, 0x11
BOOL_TRIGGER, EVENTFD_TRIGGER, EVENTFD_UNMASK = 0x22, 0x24, 0x14


def test_version() -> None:
    client = Client(kcs())
    answer = client.greeting
    assert struct.unpack_from("<HHIIIHH", answer) == (0, 1, len(answer), 1, 0, 0, 0)
    assert answer.endswith(b"\0")
    capabilities = json.loads(answer[20:-1])["capabilities"]
    assert capabilities["write_multiple"] is True
    assert capabilities["max_data_xfer_size"] >= 256, "QEMU reads configuration space at once"


@pytest.mark.parametrize(
    "payload",
    [
        "0100 0000 7b7d 00",  # major version 1
        "0000 0000 7b 00",  # no JSON
        "0000 0000 5b5d 00",  # no object
        "0000 0000 ff 00",  # no text
        "0000 0000 7b7d 00 00",  # something behind it
    ],
)
def test_version_refused(payload: str) -> None:
    client = Client(kcs(), greet=False)
    assert client.ask(1, payload) == "EINVAL"
    assert client.ask(4, "10000000 00000000 00000000 00000000") == "EINVAL", "nothing before VERSION"
    client.send(sized(VERSION))
    assert client.machine.data_to_send()
    assert client.ask(1, "0000 0000 7b7d 00") == "EINVAL", "and only once"


# fmt: off
ASKED = [
    # what it is                command  payload                                   answer
    ("device",                  4, "10000000 00000000 00000000 00000000",
                                   "10000000 03000000 09000000 05000000"),
    ("BAR 0",                   5, "20000000 00000000 00000000 00000000" + 32 * "0",
                                   "20000000 03000000 00000000 00000000 0800000000000000 0000000000000000"),
    ("BAR 1, which is none",    5, "20000000 00000000 01000000 00000000" + 32 * "0",
                                   "20000000 00000000 01000000 00000000 0000000000000000 0000000000000000"),
    ("configuration space",     5, "20000000 00000000 07000000 00000000" + 32 * "0",
                                   "20000000 03000000 07000000 00000000 0001000000000000 0000000000000000"),
    ("region 9",                5, "20000000 00000000 09000000 00000000" + 32 * "0", "EINVAL"),
    ("no room for the answer",  5, "1f000000 00000000 00000000 00000000" + 32 * "0", "EINVAL"),
    ("I/O descriptors",         6, "10000000 00000000 00000000 00000000",
                                   "10000000 00000000 00000000 00000000"),
    ("INTx",                    7, "10000000 00000000 00000000 00000000",
                                   "10000000 07000000 00000000 01000000"),
    ("MSI",                     7, "10000000 00000000 01000000 00000000",
                                   "10000000 09000000 01000000 01000000"),
    ("MSI-X",                   7, "10000000 00000000 02000000 00000000",
                                   "10000000 00000000 02000000 00000000"),
    ("ERR, or QEMU warns",      7, "10000000 00000000 03000000 00000000",
                                   "10000000 09000000 03000000 01000000"),
    ("interrupt 5",             7, "10000000 00000000 05000000 00000000", "EINVAL"),
    ("DMA map",                 2, "20000000 03000000" + 16 * "0" + "0000100000000000 0000200000000000", ""),
    ("DMA unmap",               3, "18000000 00000000 0000100000000000 0000200000000000",
                                   "18000000 00000000 0000100000000000 0000200000000000"),
    ("unmap with dirty pages",  3, "18000000 01000000 0000100000000000 0000200000000000", "EINVAL"),
    ("unmap all",               3, "18000000 02000000 0000000000000000 0000000000000000",
                                   "18000000 02000000 0000000000000000 0000000000000000"),
    ("reset",                  13, "", ""),
    ("reset with data",        13, "00", "EINVAL"),
    ("DMA read, which is ours", 11, 32 * "0", errno.errorcode[errno.EOPNOTSUPP]),
    ("migration",              16, 32 * "0", errno.errorcode[errno.EOPNOTSUPP]),
    ("no command",            0xFFFF, "", errno.errorcode[errno.EOPNOTSUPP]),
]
# fmt: on


@pytest.mark.parametrize(
    ("command", "payload", "answer"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED]
)
def test_what_a_client_asks(command: int, payload: str, answer: str) -> None:
    assert Client(kcs()).ask(command, payload) == answer.replace(" ", "")


def test_what_cloud_hypervisor_asks() -> None:
    """Its client reads answers by the size that it expects, sizes BARs by itself, and says more room for
    the device's answer than there is.  [crate vfio_user 0.1]
    """
    client = Client(kcs(space="memory"), greet=False)
    capabilities = (
        b'{"capabilities":{"max_msg_fds":1,"max_data_xfer_size":1048576,"migration":{"pgsize":4096}}}\0'
    )
    greeting = bytes.fromhex(client.ask(1, "0000 0100" + capabilities.hex()))
    ours = json.loads(greeting[4:-1])["capabilities"]
    assert all(type(ours[name]) is int for name in ("max_msg_fds", "max_data_xfer_size"))
    assert client.ask(4, "20000000 00000000 00000000 00000000") == "10000000030000000900000005000000"
    for region in range(9):
        answer = client.ask(5, struct.pack("<4I2Q", 32, 0, region, 0, 0, 0).hex())
        assert answer[:8] == "20000000", "with more, it would ask for the rest"
    assert client.ask(2, struct.pack("<2I3Q", 32, 3, 0, 0, 1 << 20).hex(), 5) == ""
    assert client.fds.closed == [5]
    assert client.read(7, 0x34, 1) == "40"
    client.write(7, 0x10, "ffffffff")
    assert client.read(7, 0x10, 4) == "f0ffffff", "16 bytes, in memory"
    assert len(client.write(7, 0x04, "06000000")) == 32
    for index, count in ((0, 1), (1, 1), (2, 0)):
        assert client.ask(7, struct.pack("<4I", 16, 0, index, 0).hex())[24:] == f"{count:02x}000000"
    assert client.set_irqs(EVENTFD_TRIGGER, 1, 1, 6) == ""
    assert client.set_irqs(NONE_TRIGGER, 1, 0) == ""
    assert client.fds.closed == [5, 6]
    assert client.set_irqs(EVENTFD_TRIGGER, 0, 1, 7) == client.set_irqs(NONE_UNMASK, 0, 1) == ""
    assert len(client.write(0, 1, "61")) == 32
    assert client.fds.signalled == [7]
    assert client.read(0, 1, 1) == "89"
    assert len(client.ask(3, struct.pack("<2I2Q", 24, 0, 0, 1 << 20).hex())) == 48


def test_regions() -> None:
    client = Client(kcs())
    assert client.read(7, 0, 256)[:32] == "34121211000010000101070c00000000"
    assert client.read(7, 255, 2) == "EINVAL"
    assert client.read(0, 1, 1) == "c0"
    assert client.read(0, 0, 8) == "00c0000000000000", "wide accesses are split"
    assert client.read(0, 8, 1) == client.read(1, 0, 1) == client.read(0, 0, 0) == "EINVAL"
    assert client.read(0, (1 << 64) - 1, 1) == "EINVAL"
    assert client.write(0, 1, "61") == struct.pack("<QII", 1, 0, 1).hex()
    assert client.read(0, 1, 1) == "89", "write state, OBF"
    assert client.write(7, 4, "0100") == struct.pack("<QII", 4, 7, 2).hex()
    assert client.read(7, 4, 2) == "0100"
    assert client.write(0, 8, "00") == client.write(0, 0, "") == "EINVAL"
    assert client.ask(10, struct.pack("<QII", 0, 0, 2).hex() + "00") == "EINVAL", "less data than said"
    client.ask(13)
    assert int(client.read(0, 1, 1), 16) & 0xC3 == 0xC0, "after a reset"
    assert client.read(7, 4, 2) == "0000"


def test_posted_writes_are_not_answered() -> None:
    """As QEMU 11.1 writes to memory BARs: several messages at a time, and a read behind them."""
    client = Client(kcs(space="memory"))
    access = struct.Struct("<QII")
    writes = [(1, 0x61), (0, 0x18), (1, 0x62), (0, 0x01)]
    data = b"".join(
        message(10, access.pack(offset, 0, 1) + bytes((value,)), flags=0x10) for offset, value in writes
    )
    client.send(data + message(9, access.pack(1, 0, 1)))
    answer = client.machine.data_to_send()
    assert answer == message(9, access.pack(1, 0, 1) + b"\x41", flags=1), "read state, OBF"
    client.send(message(99, flags=0x10))
    assert client.machine.data_to_send() == b"", "nor is an error"


ACCESS = struct.Struct("<QII")
READ, WRITE, NO_REPLY = 9, 10, 0x10
bytewise = st.builds(
    lambda kind, offset, value, id_: message(
        kind[0], ACCESS.pack(offset, 0, 1) + bytes((value,) * (kind[0] == WRITE)), id_=id_, flags=kind[1]
    ),
    st.sampled_from(((READ, 0), (WRITE, 0), (WRITE, NO_REPLY))),
    st.integers(0, 16),  # one of them beyond the BAR
    st.sampled_from((0x61, 0x62, 0x60, 0x68, 0x18, 0x01)),
    st.integers(0, 0xFFFF),
)


@given(st.lists(bytewise, min_size=1, max_size=30), st.integers(1, 70))
def test_accesses_to_a_byte_are_answered_alike_in_whole_messages_and_in_pieces(
    messages: list[bytes], size: int
) -> None:
    """Whole messages have answers that are ready; messages in pieces are taken apart."""
    fast, slow = (Client(kcs(space="memory")) for _ in range(2))
    data = b"".join(messages)
    fast.send(data)
    for each in messages:
        slow.send(each[:1])
        slow.send(each[1:])
    answers = slow.machine.data_to_send()
    assert fast.machine.data_to_send() == answers
    cut = Client(kcs(space="memory"))
    for position in range(0, len(data), size):
        cut.send(data[position : position + size])
    assert cut.machine.data_to_send() == answers


def test_several_writes_in_one_message() -> None:
    client = Client(kcs())
    one = struct.Struct("<QII8s")
    writes = one.pack(1, 0, 1, b"\x61") + one.pack(0, 0, 1, b"\x18")
    assert client.ask(15, "0200000000000000" + writes.hex()) == "0200000000000000"
    assert client.read(0, 1, 1) == "81"
    assert client.ask(15, "0300000000000000" + writes.hex()) == "EINVAL"
    assert client.ask(15, "0100000000000000" + one.pack(0, 0, 9, b"").hex()) == "EINVAL"
    assert client.ask(15, "ffffffffffffffff") == "EINVAL"


def test_descriptors_of_memory_are_closed() -> None:
    client = Client(kcs())
    client.ask(2, "20000000 03000000" + 16 * "0" + "0000100000000000 0000200000000000", 11)
    assert client.fds.closed == [11]


def test_intx_fires_again_on_unmask_while_it_is_up() -> None:
    client = Client(kcs())
    assert client.set_irqs(EVENTFD_TRIGGER, 0, 1, 20) == ""
    client.write(0, 1, "61")  # OBF rises
    assert client.fds.signalled == [20]
    client.write(0, 0, "18")
    assert client.fds.signalled == [20], "masked until the client says otherwise"
    client.set_irqs(NONE_UNMASK, 0, 1)
    assert client.fds.signalled == [20, 20], "OBF is still set"
    client.read(0, 0, 1)  # clears OBF
    client.set_irqs(NONE_UNMASK, 0, 1)
    assert client.fds.signalled == [20, 20]
    client.set_irqs(NONE_MASK, 0, 1)
    client.write(0, 1, "61")
    assert client.fds.signalled == [20, 20], "the client masked it"
    client.set_irqs(EVENTFD_TRIGGER, 0, 1, 21)
    assert client.fds.closed == [20]
    assert client.fds.signalled == [20, 20, 21], "a new counter is told of what is up"
    assert client.set_irqs(NONE_TRIGGER, 0, 0) == ""
    assert client.fds.closed == [20, 21]


def test_msi() -> None:
    client = Client(kcs())
    client.set_irqs(EVENTFD_TRIGGER, 0, 1, 20)
    client.set_irqs(EVENTFD_TRIGGER, 1, 1, 21)
    client.write(7, 0x42, "0100")
    client.write(7, 0x04, "0500")
    client.write(0, 1, "61")
    assert client.fds.signalled == [21]
    client.read(0, 0, 1)
    client.write(0, 0, "18")
    assert client.fds.signalled == [21, 21]
    assert client.set_irqs(EVENTFD_TRIGGER, 1, 1) == "", "no counter: taken away"
    client.read(0, 0, 1)
    client.write(0, 0, "18")
    assert client.fds.signalled == [21, 21]


def test_a_trial_of_the_counter() -> None:
    client = Client(kcs())
    client.set_irqs(EVENTFD_TRIGGER, 3, 1, 20)
    client.set_irqs(NONE_TRIGGER, 3, 1)
    client.set_irqs(BOOL_TRIGGER, 3, 1, data=b"\0")
    client.set_irqs(BOOL_TRIGGER, 3, 1, data=b"\1")
    assert client.fds.signalled == [20, 20]


@pytest.mark.parametrize(
    ("flags", "index", "count", "descriptors", "data"),
    [
        pytest.param(EVENTFD_TRIGGER, 2, 1, 1, b"", id="MSI-X, which it has not"),
        pytest.param(EVENTFD_TRIGGER, 0, 2, 2, b"", id="more than there are"),
        pytest.param(EVENTFD_TRIGGER, 0, 1, 2, b"", id="more descriptors than interrupts"),
        pytest.param(EVENTFD_UNMASK, 0, 1, 1, b"", id="KVM's resampling"),
        pytest.param(NONE_MASK, 1, 1, 0, b"", id="MSI cannot be masked"),
        pytest.param(BOOL_TRIGGER, 0, 1, 0, b"", id="no boolean"),
        pytest.param(0x27, 0, 1, 0, b"", id="three kinds of data"),
        pytest.param(0x39, 0, 1, 0, b"", id="three actions"),
        pytest.param(NONE_TRIGGER, 9, 1, 0, b"", id="interrupt 9"),
    ],
)
def test_interrupts_refused(flags: int, index: int, count: int, descriptors: int, data: bytes) -> None:
    client = Client(kcs())
    given = range(20, 20 + descriptors)
    assert client.set_irqs(flags, index, count, *given, data=data) == "EINVAL"
    assert client.fds.closed == [*given]


def test_a_function_without_interrupts() -> None:
    client = Client(kcs(pin=0, msi=False))
    for index in (0, 1):
        assert client.ask(7, struct.pack("<4I", 16, 0, index, 0).hex())[8:16] == "00000000"
        assert client.set_irqs(EVENTFD_TRIGGER, index, 1, 20 + index) == "EINVAL"
    client.write(0, 1, "61")
    assert client.fds.signalled == []


def test_who_goes_leaves_no_descriptor() -> None:
    client = Client(kcs())
    client.set_irqs(EVENTFD_TRIGGER, 0, 1, 20)
    client.send(message(2)[:10], 21)
    client.machine.disconnect()
    assert sorted(client.fds.closed) == [20, 21]
    client.send(b"", 22)


def test_refusal() -> None:
    assert VfioUser.refusal(sized(VERSION)) == struct.pack("<HHIII", 0, 1, 16, 0x21, errno.EBUSY)
    assert VfioUser.refusal(b"\0") == b""


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(struct.pack("<HHIII", 1, 9, 15, 0, 0), id="shorter than its header"),
        pytest.param(struct.pack("<HHIII", 1, 10, 1 << 20, 0, 0), id="longer than anything"),
        pytest.param(struct.pack("<HHIII", 1, 9, 32, 1, 0), id="an answer"),
    ],
)
def test_what_ends_a_connection(header: bytes) -> None:
    client = Client(kcs())
    client.send(header, 5)
    assert client.machine.failure
    client.send(message(13), 6)
    assert client.machine.data_to_send() == b""
    assert client.fds.closed == [5, 6]


# x-pci-proxy-dev

FAILED = (1 << 64) - 1


class Proxy:
    """QEMU 7.2's end."""

    def __init__(self, function: PciFunction) -> None:
        self.fds = Fds()
        self.machine = PciProxy(function, self.fds)

    def ask(self, command: int, payload: bytes = b"", *descriptors: int) -> int | None:
        self.machine.receive_data(struct.pack("<i4xQ", command, len(payload)) + payload, descriptors)
        answer = self.machine.data_to_send()
        if not answer:
            return None
        assert answer[:16] == struct.pack("<i4xQ", 1, 8)
        return int.from_bytes(answer[16:], "little")

    def configuration(self, offset: int, width: int, value: int | None = None) -> int | None:
        return self.ask(3 if value is None else 2, struct.pack("<IIi", offset, value or 0, width))

    def bar(self, address: int, width: int = 1, value: int | None = None) -> int | None:
        return self.ask(5 if value is None else 4, struct.pack("<QQI?3x", address, value or 0, width, False))


def test_proxy_as_qemu_probes_it() -> None:
    proxy = Proxy(kcs(pin=0, msi=False, least_size=16))
    assert proxy.ask(0, bytes(192), 5, 6) is None
    assert proxy.ask(6, b"", 7, 8) is None
    assert proxy.fds.closed == [5, 6, 7, 8]
    assert proxy.configuration(0x00, 2) == 0x1234
    assert proxy.configuration(0x0A, 2) == 0x0C07
    for bar, size in enumerate((16, 0, 0, 0, 0, 0, 0)):  # seven: the last is at 28h
        at = 0x10 + 4 * bar
        before = proxy.configuration(at, 4)
        assert proxy.configuration(at, 4, 0xFFFF_FFFF) == 0
        mask = proxy.configuration(at, 4) or 0
        assert (~(mask & 0xFFFF_FFF0) + 1) & 0xFFFF_FFFF == size
        proxy.configuration(at, 4, before)
    assert proxy.configuration(0x3D, 1) == 0, "no interrupt, for it would not arrive"


def test_proxy_accesses_come_with_addresses() -> None:
    proxy = Proxy(kcs(pin=0, msi=False, least_size=16))
    proxy.configuration(0x10, 4, 0xC050)
    assert proxy.bar(0xC051) == 0xC0
    assert proxy.bar(0xC051, value=0x61) == 0
    assert proxy.bar(0xC050, 4) == 0x8800, "Data_Out was read first, and cleared OBF"
    proxy.configuration(0x10, 4, 0xD000)
    assert (
        proxy.bar(0xC051) == proxy.bar(0xCFFF) == proxy.bar(0xD010) == proxy.bar(0xD00F, 2) == (1 << 64) - 1
    )
    assert proxy.bar(0xD001) == 0x88
    assert proxy.bar(0xD001, 3) == proxy.bar(0xD001, 3, 0) == FAILED
    assert proxy.configuration(0, 3) == proxy.configuration(0, -1, 0) == FAILED
    assert proxy.ask(7) == 0
    assert (proxy.bar(1) or 0) & 0xC3 == 0xC0, "after a reset the BAR is at 0"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(struct.pack("<i4xQ", 3, 13), id="wrong size"),
        pytest.param(struct.pack("<i4xQ", 3, 1 << 63), id="endless"),
        pytest.param(struct.pack("<i4xQ", 1, 8), id="an answer"),
    ],
)
def test_what_ends_a_proxy(header: bytes) -> None:
    proxy = Proxy(kcs())
    proxy.machine.receive_data(header, (3,))
    assert proxy.machine.failure
    assert proxy.fds.closed == [3]


def test_an_unknown_message_to_the_proxy_fails() -> None:
    assert Proxy(kcs()).ask(99) == FAILED


# Both: any bytes at any split.

PROTOCOLS: list[type[MessageStream]] = [VfioUser, PciProxy]
GREETING = {VfioUser: sized(VERSION), PciProxy: b""}

u8, u32, u64 = (st.integers(0, (1 << bits) - 1) for bits in (8, 32, 64))
small = st.sampled_from((0, 1, 2, 4, 7, 8, 16, 256)) | u32
vfio_messages = st.builds(
    lambda command, flags, numbers, rest: message(
        command, struct.pack(f"<{len(numbers)}I", *numbers) + rest, flags=flags
    ),
    st.integers(0, 19),
    st.sampled_from((0, 0, 0, 0x10)),
    st.lists(small, max_size=8),
    st.binary(max_size=9),
)
PAYLOADS = {0: 192, 2: 12, 3: 12, 4: 24, 5: 24, 6: 0, 7: 0}
proxy_messages = st.sampled_from(sorted(PAYLOADS)).flatmap(
    lambda command: st.binary(min_size=PAYLOADS[command], max_size=PAYLOADS[command]).map(
        lambda payload: struct.pack("<i4xQ", command, len(payload)) + payload
    )
)


def i801() -> I801Function:
    bus, ssif = SmBus(), Ssif()
    bus.attach(ssif.target, address=0x10)
    HandlerSeam(ssif.engine, echo)
    return I801Function(bus, ssif)


functions: list[Callable[[], Function]] = [
    kcs,
    i801,
    lambda: PciFunction(Bt(), Interface.BT, space="memory"),
    lambda: PciFunction(Smic(), Interface.SMIC, pin=0, msi=False, least_size=16),
]


@given(
    st.sampled_from(PROTOCOLS),
    st.sampled_from(functions),
    st.lists(st.binary(max_size=40) | vfio_messages | proxy_messages, max_size=12),
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3)), min_size=1, max_size=40),
)
def test_any_bytes_at_any_split(
    protocol: type[MessageStream],
    make: Callable[[], Function],
    pieces: list[bytes],
    splits: list[tuple[int, int]],
) -> None:
    """An answer, an error or the end of the connection, the same however the bytes come in."""
    data = GREETING[protocol] + b"".join(pieces)
    whole, split = protocol(make(), Fds()), protocol(make(), fds := Fds())
    whole.receive_data(data)
    position = given_out = 0
    said = b""
    for size, descriptors in splits * (len(data) + 1):
        if position >= len(data):
            break
        split.receive_data(data[position : position + size], range(given_out, given_out + descriptors))
        said += split.data_to_send()
        position += size
        given_out += descriptors
    if not any(descriptors for _, descriptors in splits):
        assert said == whole.data_to_send()
        assert split.failure == whole.failure
    split.disconnect()
    assert sorted(fds.closed) == list(range(given_out)), "each descriptor is closed, once"


def test_too_many_descriptors_end_the_connection() -> None:
    client = Client(kcs())
    client.send(b"\0", *range(MOST_DESCRIPTORS))
    assert not client.machine.failure
    client.send(b"\0", MOST_DESCRIPTORS)
    assert client.machine.failure
