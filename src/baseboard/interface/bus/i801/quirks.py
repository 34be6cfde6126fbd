"""Where QEMU's ICH9 SMBus controller is not the document's; all off unless somebody needs them."""

from __future__ import annotations

from enum import Flag, auto


class Quirk(Flag):
    """One deviation each; `QEMU` is all of them."""

    NONE = 0
    FEW_REGISTERS = auto()
    """There are status, control, command, address, data, block data and AUX_CTL; the rest reads 0."""
    NO_SEMAPHORE = auto()
    """INUSE_STS is never set."""
    CONTROL_LOW_BITS = auto()
    """PEC_EN and LAST_BYTE read 0."""
    NO_PACKET_ERROR_CODES = auto()
    """PEC_EN and AAC do nothing."""
    ASKED_BY_STATUS = auto()
    """Without INTREN a transfer is made by the next read of the status, which shows HOST_BUSY once more."""
    ERROR_HOLDS = auto()
    """While DEV_ERR is set no transfer is made."""
    BUSY_STAYS = auto()
    """HOST_BUSY is cleared by the end of a block, by KILL and by what ASKED_BY_STATUS makes, nothing else."""
    START_AGAIN = auto()
    """START gives up the block that is under way and begins anew."""
    START_KILLED = auto()
    """START written together with KILL is obeyed."""
    INDEX_STAYS = auto()
    """Reading HST_CNT leaves the buffer's index; KILL and a block's transfer put it to 0."""
    BUFFER_COUNTED = auto()
    """A block in the buffer is refused unless the buffer's index is its count."""
    BUFFER_TAKEN = auto()
    """A block that was read goes on until the index is its count, which then becomes 0."""
    ANY_COUNT = auto()
    """A block's count is not checked. Written byte by byte, none ends that has 0 bytes, or 32 and more."""
    OVERLONG_EMPTY = auto()
    """A target's count of more than 32 is taken for 0."""
    READ_TO_LAST_BYTE = auto()
    """Byte by byte, only LAST_BYTE ends a read, and one byte more is loaded then."""
    MODE_OF_THE_MOMENT = auto()
    """E32B and R/W# say at each byte, and not at START, whether a block goes byte by byte, and which way."""
    I2C_READS = auto()
    """There are I2C reads; one that is killed stays on the bus."""
    QEMU = (
        FEW_REGISTERS | NO_SEMAPHORE | CONTROL_LOW_BITS | NO_PACKET_ERROR_CODES | ASKED_BY_STATUS
        | ERROR_HOLDS | BUSY_STAYS | START_AGAIN | START_KILLED | INDEX_STAYS | BUFFER_COUNTED
        | BUFFER_TAKEN | ANY_COUNT | OVERLONG_EMPTY | READ_TO_LAST_BYTE | MODE_OF_THE_MOMENT | I2C_READS
    )  # fmt: skip
