"""The resource manager's last step: what it asks a TPM, and TPMs that answer badly."""

from __future__ import annotations

import pytest

from baseboard.spapr.tpm import ResourceManager, TpmError, check_command

# [TPM2 Part 3]: TPM2_GetCapability(TPM_CAP_HANDLES, first handle, 64), TPM2_FlushContext(handle)
ASK_OBJECTS = "8001 00000016 0000017a 00000001 80000000 00000040"
ASK_SESSIONS = "8001 00000016 0000017a 00000001 02000000 00000040"
NONE = "8001 00000013 00000000 00 00000001 00000000"
TWO_OBJECTS = "8001 0000001b 00000000 00 00000001 00000002 80000000 80000001"
A_SESSION = "8001 00000017 00000000 00 00000001 00000001 03000000"
DONE = "8001 0000000a 00000000"


def flush(handle: str) -> str:
    return f"8001 0000000e 00000165 {handle}"


class Tpm:
    """Says what it is to say, and checks what it is asked."""

    def __init__(self, *turns: tuple[str, str]) -> None:
        self.turns = list(turns)
        self.closed = 0

    def open(self) -> None:
        pass

    def exchange(self, command: bytes) -> bytes:
        if not self.turns:
            raise TpmError("it has gone")
        asked, answer = self.turns.pop(0)
        assert command == bytes.fromhex(asked)
        return bytes.fromhex(answer)

    def close(self) -> None:
        self.closed += 1


def test_objects_and_sessions_are_flushed_at_the_end() -> None:
    tpm = Tpm(
        (ASK_OBJECTS, TWO_OBJECTS),
        (flush("80000000"), DONE),
        (flush("80000001"), DONE),
        (ASK_OBJECTS, NONE),
        (ASK_SESSIONS, A_SESSION),
        (flush("03000000"), DONE),
        (ASK_SESSIONS, NONE),
    )
    manager = ResourceManager(tpm)
    manager.open()
    manager.close()
    manager.close()
    assert not tpm.turns
    assert tpm.closed == 2


def test_nothing_more_is_asked_of_a_tpm_that_failed() -> None:
    tpm = Tpm()
    manager = ResourceManager(tpm)
    manager.open()
    with pytest.raises(TpmError):
        manager.exchange(b"")
    tpm.turns = [(ASK_OBJECTS, NONE)]
    manager.close()
    assert (len(tpm.turns), tpm.closed) == (1, 1)


def test_nothing_is_asked_of_a_tpm_that_was_never_open() -> None:
    tpm = Tpm((ASK_OBJECTS, NONE))
    ResourceManager(tpm).close()
    assert len(tpm.turns) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="nothing"),
        pytest.param("8001 0000000a 00000101", id="failure"),
        pytest.param("8001 00000013 00000000 00 00000001 ffffffff", id="more than there are"),
    ],
)
def test_answers_that_are_none(answer: str) -> None:
    tpm = Tpm((ASK_OBJECTS, answer), (ASK_SESSIONS, answer))
    manager = ResourceManager(tpm)
    manager.open()
    manager.close()
    assert not tpm.turns
    assert tpm.closed == 1


def test_a_tpm_that_goes_away_or_does_not_flush_ends_too() -> None:
    gone = Tpm((ASK_OBJECTS, TWO_OBJECTS))
    stubborn = Tpm(*[(ASK_OBJECTS, TWO_OBJECTS), (flush("80000000"), DONE), (flush("80000001"), DONE)] * 99)
    for tpm in (gone, stubborn):
        manager = ResourceManager(tpm)
        manager.open()
        if tpm is stubborn:
            with pytest.raises(AssertionError):  # it goes on to sessions, after 16 rounds
                manager.close()
            assert len(tpm.turns) == 99 * 3 - 16 * 3 - 1
        else:
            manager.close()
            assert tpm.closed == 1


@pytest.mark.parametrize("command", ["", "8001 0000000a 0000", "8001 0000000b 00000144"])
def test_a_command_must_be_as_long_as_it_says(command: str) -> None:
    with pytest.raises(TpmError, match="announces"):
        check_command(bytes.fromhex(command))
