"""Where [LoPAR], QEMU 7.2 and older QEMUs answer differently; none of these is taken unless somebody asks.

Without any, a machine answers as QEMU 7.2 does, less what is plainly an error there.
"""

from __future__ import annotations

from enum import Flag, auto


class Choice(Flag):
    """One deviation each; `LOPAR`, `QEMU_ERRORS` and `QEMU_5_1` are sets of them."""

    NONE = 0

    # As the standard has it.
    ISOLATED_IS_COMPLETE = auto()
    """ibm,configure-connector of an isolated connector answers 0; QEMU: -9003."""
    MULTI_LEVEL_ISOLATION = auto()
    """A host bridge is not isolated before its cards are (-9000); QEMU takes the cards away with it."""
    NEXT_SIBLING = auto()
    """A node behind another of the same parent comes with status 1; QEMU goes back (4) and down (2) again."""
    PHANDLES = auto()
    """Each node of ibm,configure-connector carries `ibm,phandle`; QEMU's have none."""
    EXTENSION_PAGE = auto()
    """A property too large for the work area asks for the second page (5); QEMU cuts its value."""
    WHOLE_SECTIONS = auto()
    """An event log that is longer than its buffer loses its last section; QEMU writes past the buffer."""
    DRC_INFO = auto()
    """Client architecture support offers `ibm,drc-info` in place of the four arrays; QEMU does not."""
    NVDIMM_UNPLUG = auto()
    """A guest is asked to let go of persistent memory, as of a core; QEMU refuses to ask."""

    # What is an error in QEMU, for whoever must have the same bytes.
    WRONG_LMB_NAMES = auto()
    """Nodes of memory blocks are named by the whole connector index: memory@8000000040000000."""
    WIDE_WORK_AREA = auto()
    """The second argument of ibm,configure-connector is the upper half of the address."""
    WHOLE_EVENT_LOG = auto()
    """check-exception writes all of the log, whatever length it was given."""
    STALE_TREES = auto()
    """A tree that was asked for once stays as it was, whatever is plugged in behind the bridge."""
    NATIVE_LOG_ID = auto()
    """The platform log identifier is in the host's byte order (little-endian)."""
    NATIVE_TREE_HEADER = auto()
    """The version in front of the tree that CAS writes is in the host's byte order (little-endian)."""

    # Before QEMU 5.2.
    NO_REFUSAL = auto()
    """To unisolate or configure a connector does not take back the request to unplug it."""

    LOPAR = (
        ISOLATED_IS_COMPLETE
        | MULTI_LEVEL_ISOLATION
        | NEXT_SIBLING
        | PHANDLES
        | EXTENSION_PAGE
        | WHOLE_SECTIONS
        | DRC_INFO
        | NVDIMM_UNPLUG
    )
    QEMU_ERRORS = (
        WRONG_LMB_NAMES | WIDE_WORK_AREA | WHOLE_EVENT_LOG | NATIVE_LOG_ID | STALE_TREES | NATIVE_TREE_HEADER
    )
    QEMU_5_1 = QEMU_ERRORS | NO_REFUSAL
