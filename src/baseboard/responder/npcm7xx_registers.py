"""The host interface of Nuvoton's NPCM7xx: three KCS channels and the POST-code FIFO (BPC).

[Linux kcs_bmc_npcm7xx.c, npcm7xx-lpc-bpc.c] and the sibling NPCX block ("host PM channel") name the
registers; each is 8 bits wide, 2 bytes apart.
"""

from __future__ import annotations

from baseboard.responder.window import Row

BASE = 0xF0007000
SIZE = 0x56
CHANNELS = 3
INTERRUPT = 9
"""GIC SPI, one for all."""
FIRST, STRIDE = 0x0C, 0x12
"""Where channel 1 begins, and bytes from one to the next."""

# fmt: off
CHANNEL = (
    #   offset  name   reset  kept   meaning
    Row(0x00,  "ST",   0x00,  0,     "Status; OBF, IBF and CMD are the hardware's"),
    Row(0x02,  "DO",   0x00,  0,     "Data_Out; write sets OBF"),
    Row(0x04,  "DI",   0x00,  0,     "Data_In; read clears IBF"),
    Row(0x06,  "DOC",  0x00,  0,     "as DO, with SCI"),
    Row(0x08,  "DOM",  0x00,  0,     "as DO, with SMI"),
    Row(0x0A,  "DIC",  0x00,  0,     "as DI, with SCI"),
    Row(0x0C,  "CTL",  0xC0,  0x7B,  "6 SCIPOL 5:3 PLMS 1 OBEIE 0 IBFIE; 7 is 1, 2 reserved"),
    Row(0x0E,  "IC",   0x41,  0xC7,  "7 SCIIS 6 SMIPOL 2 SCIB 1 SMIB 0 IRQB; kept only"),
    Row(0x10,  "IE",   0x00,  0x7F,  "6 HSTA 5 HSMIE 4 HSCIE 3 HIRQE 2 SMIE 1 SCIE 0 IRQE"),
)
BPC = (
    #   offset  name      reset  kept   meaning
    Row(0x42,  "FA2L",    0x00,  0xFF,  "address 2, 7:0"),
    Row(0x44,  "FA2M",    0x00,  0xFF,  "address 2, 15:8"),
    Row(0x46,  "FEN",     0x00,  0xDC,  "7, 6 addresses 1, 2; interrupts: 4 host reset 3 ready; 2 DWCAPTURE"),
    Row(0x48,  "FSTAT",   0x00,  0,     "7 valid 5 overflow 0 which address"),
    Row(0x4A,  "FDATA",   0x00,  0,     "the oldest code; read takes it"),
    Row(0x4C,  "FMSTAT",  0x00,  0,     "6 host was reset (write 1 to clear)"),
    Row(0x4E,  "HIGLUE",  0x00,  0xFF,  "glue; kept only"),
    Row(0x50,  "FA1L",    0x80,  0xFF,  "address 1, 7:0"),
    Row(0x52,  "FA1M",    0x00,  0xFF,  "address 1, 15:8"),
    Row(0x54,  "SDR",     0x00,  0xFF,  "kept only"),
)
# fmt: on
IBFIE, OBEIE = 0x01, 0x02
"""Of CTL."""
IRQE, SCIE, SMIE, HIRQE, HSCIE, HSMIE = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
"""Of IE."""
ADDRESS_1, ADDRESS_2, RESET_INTERRUPT, READY_INTERRUPT, DOUBLE_WORD = 0x80, 0x40, 0x10, 0x08, 0x04
"""Of FEN."""
VALID, OVERFLOW, WHICH = 0x80, 0x20, 0x01
"""Of FSTAT."""
HOST_RESET = 0x40
"""Of FMSTAT."""
EVERY = (
    tuple(
        row._replace(offset=FIRST + channel * STRIDE + row.offset, name=f"KCS{channel + 1}{row.name}")
        for channel in range(CHANNELS)
        for row in CHANNEL
    )
    + BPC
)
