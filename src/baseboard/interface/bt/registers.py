"""The three registers of BT.  [IPMI 11.2-11.6]

offset  host reads       host writes
0       BT_CTRL          BT_CTRL
1       BMC2HOST buffer  HOST2BMC buffer
2       BT_INTMASK       BT_INTMASK
"""

from __future__ import annotations

from baseboard.interface.registers import Access, Field, Side, masks

# fmt: off
BT_CTRL = (  # [IPMI 11.6.1, Table 11-2]
    #     bits   name          host           BMC            meaning
    Field(7, 7,  "B_BUSY",     Access.RO,     Access.W1T,    "the BMC cannot take a message"),
    Field(6, 6,  "H_BUSY",     Access.W1T,    Access.RO,     "the host is reading a message"),
    Field(5, 5,  "OEM0",       Access.W1S,    Access.W1C,    "defined by the BMC's maker"),
    Field(4, 4,  "SMS_ATN",    Access.W1C,    Access.W1S,    "something waits for system software"),
    Field(3, 3,  "B2H_ATN",    Access.W1C,    Access.W1S,    "a message waits for the host"),
    Field(2, 2,  "H2B_ATN",    Access.W1S,    Access.W1C,    "a message waits for the BMC"),
    Field(1, 1,  "CLR_RD_PTR", Access.PULSE,  Access.PULSE,  "read the own buffer from its start"),
    Field(0, 0,  "CLR_WR_PTR", Access.PULSE,  Access.PULSE,  "write the other's buffer from its start"),
)
BT_INTMASK = (  # [IPMI 11.6.3, Table 11-3]
    #     bits   name          host           BMC            meaning
    Field(7, 7,  "BMC_HWRST",  Access.PULSE,  Access.NONE,   "reset the BMC's end of the interface"),
    Field(6, 5,  "reserved",   Access.NONE,   Access.NONE,   ""),
    Field(4, 2,  "OEM",        Access.RW,     Access.RO,     "defined by the BMC's maker"),
    Field(1, 1,  "B2H_IRQ",    Access.W1C,    Access.W1S,    "B2H_ATN or SMS_ATN rose while enabled"),
    Field(0, 0,  "B2H_IRQ_EN", Access.RW,     Access.RO,     "interrupts are enabled"),
)
# fmt: on
HOST, BMC = Side(BT_CTRL, "host"), Side(BT_CTRL, "bmc")
HOST_MASK, BMC_MASK = Side(BT_INTMASK, "host"), Side(BT_INTMASK, "bmc")

_CTRL, _MASK = masks(BT_CTRL), masks(BT_INTMASK)
B_BUSY, H_BUSY, OEM0, SMS_ATN = _CTRL["B_BUSY"], _CTRL["H_BUSY"], _CTRL["OEM0"], _CTRL["SMS_ATN"]
B2H_ATN, H2B_ATN = _CTRL["B2H_ATN"], _CTRL["H2B_ATN"]
CLR_RD_PTR, CLR_WR_PTR = _CTRL["CLR_RD_PTR"], _CTRL["CLR_WR_PTR"]
BMC_HWRST, B2H_IRQ, B2H_IRQ_EN = _MASK["BMC_HWRST"], _MASK["B2H_IRQ"], _MASK["B2H_IRQ_EN"]
