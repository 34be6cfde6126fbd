"""Lines for a reader who takes them, who is slow, and who is gone."""

from __future__ import annotations

import io
import os

from baseboard.cli.line_writer import LineWriter


def test_all_lines_in_their_order() -> None:
    text = io.StringIO()
    with LineWriter(text) as writer:
        for number in range(100):
            writer.put(str(number))
    assert text.getvalue().split() == [str(number) for number in range(100)]
    assert writer.lost == 0


def test_a_reader_who_does_not_read_holds_nobody_up() -> None:
    reading, writing = os.pipe()
    with open(writing, "w") as file:
        with LineWriter(file, capacity=10) as writer:
            for _ in range(2000):
                writer.put("x" * 1000)
            assert writer.lost > 1000
            os.close(reading)  # and now he is gone
        assert not writer._thread.is_alive()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)
