"""Every key that tomllib finds has a line, and it is the right one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from baseboard.store.toml_lines import lines

TEXT = '''\
# a comment with = and [brackets]
title = "a # b"  # real comment
when = 1979-05-27 07:32:00
[lan]
port = 6230
suites = [ 17, # preferred
  3,
]
"quoted key" = """
[not.a.table]
x = 1
"""
literal = \'\'\'
it''s \'\'\'
a.b . c = { x = 1, y = [ { z = 2 } ] }

[[sensor]]
name = "one"
  [sensor.extra]
  deep = true
[[sensor]]
name = 'two'
[[sensor.event]]
[[sensor.event]]
offset = 1
'''


def test_lines() -> None:
    assert lines(TEXT) == {
        ("title",): 2,
        ("when",): 3,
        ("lan",): 4,
        ("lan", "port"): 5,
        ("lan", "suites"): 6,
        ("lan", "suites", 0): 6,
        ("lan", "suites", 1): 7,
        ("lan", "quoted key"): 9,
        ("lan", "literal"): 13,
        ("lan", "a"): 15,
        ("lan", "a", "b"): 15,
        ("lan", "a", "b", "c"): 15,
        ("lan", "a", "b", "c", "x"): 15,
        ("lan", "a", "b", "c", "y"): 15,
        ("lan", "a", "b", "c", "y", 0): 15,
        ("lan", "a", "b", "c", "y", 0, "z"): 15,
        ("sensor",): 17,
        ("sensor", 0): 17,
        ("sensor", 0, "name"): 18,
        ("sensor", 0, "extra"): 19,
        ("sensor", 0, "extra", "deep"): 20,
        ("sensor", 1): 21,
        ("sensor", 1, "name"): 22,
        ("sensor", 1, "event"): 23,
        ("sensor", 1, "event", 0): 23,
        ("sensor", 1, "event", 1): 24,
        ("sensor", 1, "event", 1, "offset"): 25,
    }


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from paths(inner, (*path, number))


PIECES = [*"ab.=[]{},1", "[[", "]]", "'''", '"""']
LINES = [
    "1.5",
    "true",
    "2020-01-01",
    '"c d"',
    "'e'",
    '"\\\\""',
    "\n",
    " ",
    "# x\n",
    "[a]\n",
    "[[b]]\n",
    "a = 1\n",
    "b.a = []\n",
    "2020-01-01 00:00:00\n",
]
pieces = st.lists(st.sampled_from(PIECES + LINES), max_size=25)


@given(pieces)
def test_whatever_tomllib_takes_is_found(words: list[str]) -> None:
    text = "".join(words)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines(text)) == set(paths(data))
