"""What `baseboard host` says of answers that are none, or refusals."""

from __future__ import annotations

import asyncio

import pytest

from baseboard.cli.host_commands import Refused, run
from baseboard.ipmi.message import Message


class Firmware:
    """It gives one answer to everything."""

    def __init__(self, answer: str) -> None:
        self._answer = bytes.fromhex(answer)

    async def ask(self, message: Message) -> bytes:
        return self._answer


@pytest.mark.parametrize("words", ["mc info", "raw 06 01"])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("c1", "answers C1h (invalid command)"),
        ("81 05", "answers 81h 05"),
        ("c3", "answers C3h (timeout), or does not answer at all"),
        ("ff", "answers FFh (unspecified), or does not answer at all"),
    ],
)
def test_what_is_refused(words: str, answer: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        asyncio.run(run(Firmware(answer), words.split()))
    assert str(refused.value) == f"Get Device ID: the firmware {said}"
