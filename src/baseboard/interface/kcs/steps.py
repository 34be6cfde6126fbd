"""The BMC's end of KCS as a table.  [IPMI 9.15, Figures 9-6 and 9-7]"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from baseboard.interface.kcs.phases import SHOWN, Input, Phase, inputs
from baseboard.interface.kcs.transfer import Action, Transfer

Steps = Mapping[tuple[Phase, Input], tuple[Action, Phase]]
Rows = Sequence[Sequence[tuple[Action, Phase, int]]]
"""By phase and `Latch.input`: action, next phase, and what the host then sees in Status."""

# fmt: off
STEPS: Steps = {
    # in phase          what happens        the BMC                   next phase
    (Phase.IDLE,        Input.WRITE_START): (Transfer._begin_write,   Phase.WRITING),
    (Phase.IDLE,        Input.WRITE_END):   (Transfer._illegal,       Phase.ERROR),
    (Phase.IDLE,        Input.ABORT):       (Transfer._acknowledge,   Phase.ABORTING),
    (Phase.IDLE,        Input.OTHER):       (Transfer._illegal,       Phase.ERROR),
    (Phase.IDLE,        Input.DATA):        (Transfer._illegal,       Phase.ERROR),
    (Phase.IDLE,        Input.READ):        (Transfer._illegal,       Phase.ERROR),

    (Phase.WRITING,     Input.WRITE_START): (Transfer._begin_write,   Phase.WRITING),
    (Phase.WRITING,     Input.WRITE_END):   (Transfer._acknowledge,   Phase.LAST_BYTE),
    (Phase.WRITING,     Input.ABORT):       (Transfer._abort,         Phase.ABORTING),
    (Phase.WRITING,     Input.OTHER):       (Transfer._illegal,       Phase.ERROR),
    (Phase.WRITING,     Input.DATA):        (Transfer._store,         Phase.WRITING),
    (Phase.WRITING,     Input.READ):        (Transfer._store,         Phase.WRITING),
    (Phase.WRITING,     Input.FULL):        (Transfer._wrong_length,  Phase.ERROR),

    (Phase.LAST_BYTE,   Input.WRITE_START): (Transfer._begin_write,   Phase.WRITING),
    (Phase.LAST_BYTE,   Input.WRITE_END):   (Transfer._illegal,       Phase.ERROR),
    (Phase.LAST_BYTE,   Input.ABORT):       (Transfer._abort,         Phase.ABORTING),
    (Phase.LAST_BYTE,   Input.OTHER):       (Transfer._illegal,       Phase.ERROR),
    (Phase.LAST_BYTE,   Input.DATA):        (Transfer._finish,        Phase.WAITING),
    (Phase.LAST_BYTE,   Input.READ):        (Transfer._finish,        Phase.WAITING),

    (Phase.WAITING,     Input.WRITE_START): (Transfer._begin_write,   Phase.WRITING),
    (Phase.WAITING,     Input.WRITE_END):   (Transfer._illegal,       Phase.ERROR),
    (Phase.WAITING,     Input.ABORT):       (Transfer._abort,         Phase.ABORTING),
    (Phase.WAITING,     Input.OTHER):       (Transfer._illegal,       Phase.ERROR),
    (Phase.WAITING,     Input.DATA):        (Transfer._illegal,       Phase.ERROR),
    (Phase.WAITING,     Input.READ):        (Transfer._illegal,       Phase.ERROR),
    (Phase.WAITING,     Input.FULL):        (Transfer._wrong_length,  Phase.ERROR),
    (Phase.WAITING,     Input.SHORT):       (Transfer._wrong_length,  Phase.ERROR),
    (Phase.WAITING,     Input.RESPONSE):    (Transfer._next_byte,     Phase.READING),

    (Phase.READING,     Input.WRITE_START): (Transfer._begin_write,   Phase.WRITING),
    (Phase.READING,     Input.WRITE_END):   (Transfer._illegal,       Phase.ERROR),
    (Phase.READING,     Input.ABORT):       (Transfer._abort,         Phase.ABORTING),
    (Phase.READING,     Input.OTHER):       (Transfer._illegal,       Phase.ERROR),
    (Phase.READING,     Input.DATA):        (Transfer._illegal,       Phase.ERROR),
    (Phase.READING,     Input.READ):        (Transfer._next_byte,     Phase.READING),
    (Phase.READING,     Input.EXHAUSTED):   (Transfer._nothing,       Phase.ALL_READ),

    (Phase.ALL_READ,    Input.WRITE_START): (Transfer._begin_write,   Phase.WRITING),
    (Phase.ALL_READ,    Input.WRITE_END):   (Transfer._illegal,       Phase.ERROR),
    (Phase.ALL_READ,    Input.ABORT):       (Transfer._abort,         Phase.ABORTING),
    (Phase.ALL_READ,    Input.OTHER):       (Transfer._illegal,       Phase.ERROR),
    (Phase.ALL_READ,    Input.DATA):        (Transfer._illegal,       Phase.ERROR),
    (Phase.ALL_READ,    Input.READ):        (Transfer._end,           Phase.IDLE),

    (Phase.ABORTING,    Input.WRITE_START): (Transfer._begin_write,   Phase.WRITING),
    (Phase.ABORTING,    Input.WRITE_END):   (Transfer._illegal,       Phase.ERROR),
    (Phase.ABORTING,    Input.ABORT):       (Transfer._acknowledge,   Phase.ABORTING),
    (Phase.ABORTING,    Input.OTHER):       (Transfer._illegal,       Phase.ERROR),
    (Phase.ABORTING,    Input.DATA):        (Transfer._give_status,   Phase.ALL_READ),
    (Phase.ABORTING,    Input.READ):        (Transfer._give_status,   Phase.ALL_READ),

    (Phase.ERROR,       Input.WRITE_START): (Transfer._begin_write,   Phase.WRITING),
    (Phase.ERROR,       Input.WRITE_END):   (Transfer._illegal,       Phase.ERROR),
    (Phase.ERROR,       Input.ABORT):       (Transfer._acknowledge,   Phase.ABORTING),
    (Phase.ERROR,       Input.OTHER):       (Transfer._illegal,       Phase.ERROR),
    (Phase.ERROR,       Input.DATA):        (Transfer._illegal,       Phase.ERROR),
    (Phase.ERROR,       Input.READ):        (Transfer._illegal,       Phase.ERROR),
}
# fmt: on


def compiled(steps: Steps) -> Rows:
    """The same by phase and `Latch.input`, so that a write is one look-up."""
    kinds = tuple(inputs())
    nothing = Transfer._nothing
    rows = []
    for phase in Phase:
        row = []
        for kind in kinds:
            action, after = steps.get((phase, kind), (nothing, phase))
            row.append((action, after, int(SHOWN[after])))
        rows.append(row)
    return rows


ROWS = compiled(STEPS)
