"""The LPC block of Aspeed's AST2400, AST2500 and AST2600, as far as it is KCS, BT and mailbox.

[QEMU aspeed_lpc.c] and [Linux kcs_bmc_aspeed.c, bt-bmc.c] name the registers; each is 32 bits wide.
Offsets up to 25Fh that no row names are reserved. The mailbox is one of 16 bytes, for whatever host and
firmware agree upon.
"""

from __future__ import annotations

from typing import NamedTuple

from baseboard.responder.window import Row, rows_by_name

BASE = 0x1E789000
SIZE = 0x260
CHANNELS = 4
_BYTE, _WORD = 0xFF, 0xFFFFFFFF

# fmt: off
LPC = (
    #   offset  name        reset  kept    meaning
    Row(0x000, "HICR0",     0,     _BYTE,  "7:5 channels 3 to 1 enabled"),
    Row(0x004, "HICR1",     0,     _BYTE,  "host interface control; nothing of KCS"),
    Row(0x008, "HICR2",     0,     _BYTE,  "3:1 IBF interrupts of channels 3 to 1"),
    Row(0x00C, "HICR3",     0,     _BYTE,  "host interface control; nothing of KCS"),
    Row(0x010, "HICR4",     0,     _BYTE,  "7 LADR12 is channel 2's; 2 channel 3 is KCS"),
    Row(0x014, "LADR3H",    0,     _BYTE,  "channel 3: address of data 15:8"),
    Row(0x018, "LADR3L",    0,     _BYTE,  "channel 3: 7:0; status follows"),
    Row(0x01C, "LADR12H",   0,     _BYTE,  "channel 1 or 2: address of data 15:8"),
    Row(0x020, "LADR12L",   0,     _BYTE,  "channel 1 or 2: 7:0; status 4 behind"),
    Row(0x024, "IDR1",      0,     0,      "Data_In and Command; read clears IBF"),
    Row(0x028, "IDR2",      0,     0,      ""),
    Row(0x02C, "IDR3",      0,     0,      ""),
    Row(0x030, "ODR1",      0,     0,      "Data_Out; write sets OBF"),
    Row(0x034, "ODR2",      0,     0,      ""),
    Row(0x038, "ODR3",      0,     0,      ""),
    Row(0x03C, "STR1",      0,     0,      "Status; OBF, IBF and C/D# are the hardware's"),
    Row(0x040, "STR2",      0,     0,      ""),
    Row(0x044, "STR3",      0,     0,      ""),
    Row(0x070, "SIRQCR0",   0,     _WORD,  "1 SerIRQ 12, 0 SerIRQ 1 by OBF of channel 1"),
    Row(0x080, "HICR5",     0,     _WORD,  "23:20 ID3IRQX 19:16 ID2IRQX 15 SEL3 14 IRQXE3 13 SEL2 12 IRQXE2"),
    Row(0x084, "HICR6",     0,     _WORD,  "POST codes and LPC to AHB; nothing of KCS"),
    Row(0x088, "HICR7",     0,     _WORD,  "LPC to AHB: addresses"),
    Row(0x08C, "HICR8",     0,     _WORD,  "LPC to AHB: mask"),
    Row(0x100, "HICRB",     0,     _WORD,  "5:4 LSADR12 valid for channels 2, 1; 1 IBFIE4; 0 channel 4"),
    Row(0x104, "HICRC",     0,     _WORD,  "7:4 ID4IRQX 2 SEL4 1 OBF4_AUTO_CLR 0 IRQXE4"),
    Row(0x110, "LADR4",     0,     _WORD,  "channel 4: 31:16 address of status, 15:0 of data"),
    Row(0x114, "IDR4",      0,     0,      ""),
    Row(0x118, "ODR4",      0,     0,      ""),
    Row(0x11C, "STR4",      0,     0,      ""),
    Row(0x120, "LSADR12",   0,     _WORD,  "address of status: 31:16 channel 2, 15:0 channel 1"),
)
IBT_OFFSET = 0x140
IBT = (
    #   offset  name        reset  kept    meaning
    Row(0x00,  "CR0",       0,     _WORD,  "31:16 I/O base 15:12 SerIRQ 3:2 pointer bits work 0 enabled"),
    Row(0x04,  "CR1",       0,     0x41,   "interrupt enable: 6 H_BUSY cleared, 0 H2B_ATN set"),
    Row(0x08,  "CR2",       0,     0,      "interrupt status, same bits; write 1 to clear"),
    Row(0x0C,  "CR3",       0,     0,      "reserved"),
    Row(0x10,  "CTRL",      0,     0,      "BT_CTRL, the BMC's end"),
    Row(0x14,  "FIFO",      0,     0,      "read HOST2BMC, write BMC2HOST"),
    Row(0x18,  "INTMASK",   0,     0,      "BT_INTMASK: 7 BMC_HWRST (1 clears) 1 B2H_IRQ 0 B2H_IRQ_EN"),
)
# fmt: on


class Bit(NamedTuple):
    """One bit of a register."""

    register: str
    mask: int


class ChannelRow(NamedTuple):
    """Where a channel's things are."""

    input: str
    output: str
    status: str
    enabled: tuple[Bit, ...]
    """All of them."""
    input_interrupt: Bit
    host_interrupts: tuple[tuple[Bit, str, int], ...]
    """Enable; and the register and the shift of its SerIRQ number, or "" and the number itself."""


# fmt: off
CHANNEL = (
    ChannelRow("IDR1", "ODR1", "STR1", (Bit("HICR0", 0x20),), Bit("HICR2", 0x02),
               ((Bit("SIRQCR0", 0x01), "", 1), (Bit("SIRQCR0", 0x02), "", 12))),
    ChannelRow("IDR2", "ODR2", "STR2", (Bit("HICR0", 0x40),), Bit("HICR2", 0x04),
               ((Bit("HICR5", 1 << 12), "HICR5", 16),)),
    ChannelRow("IDR3", "ODR3", "STR3", (Bit("HICR0", 0x80), Bit("HICR4", 0x04)), Bit("HICR2", 0x08),
               ((Bit("HICR5", 1 << 14), "HICR5", 20),)),
    ChannelRow("IDR4", "ODR4", "STR4", (Bit("HICRB", 0x01),), Bit("HICRB", 0x02),
               ((Bit("HICRC", 1 << 0), "HICRC", 4),)),
)


class Chip(NamedTuple):
    """What differs between the generations. Interrupts are numbered as at the controller (VIC, GIC SPI)."""

    name: str
    kcs_interrupts: tuple[int, int, int, int]
    ibt_interrupt: int
    mailbox: int
    """Offset of its first data register."""


AST2400 = Chip("AST2400", (8, 8, 8, 8),         8,   0x180)
AST2500 = Chip("AST2500", (8, 8, 8, 8),         8,   0x200)
AST2600 = Chip("AST2600", (138, 139, 140, 141), 143, 0x200)
# fmt: on

CHIPS = {chip.name: chip for chip in (AST2400, AST2500, AST2600)}
OFFSET = rows_by_name(LPC)
BANKED = (OFFSET["LADR12H"], OFFSET["LADR12L"])
SECOND_BANK = 0x80
"""Of HICR4: LADR12 is channel 2's."""
OBF4_AUTO_CLEAR, IRQXE4 = 0x02, 0x01
"""Of HICRC."""
MAILBOX_REGISTERS = 16
STATUS_DISTANCE = 4
"""From data to status of channels 1 and 2, unless LSADR12 says otherwise."""
