"""On which line of a TOML text each key stands: what `tomllib` knows and does not tell.

`lines` takes a text that `tomllib` has accepted, so it only has to find its way, not to judge. A path is
the keys from the root, with numbers for the elements of arrays: ("sensor", 2, "upper_critical").
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_STRING = re.compile(r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|'[^']*\'''', re.DOTALL)
_BARE = re.compile(r"[^,\]}#\r\n]+")


def lines(text: str) -> dict[Path, int]:
    """Line numbers, from 1, by path; tables that have no header of their own have their first key's."""
    return _Finder(text).find()


class _Finder:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Path, int] = {}
        self._elements: dict[Path, int] = {}
        """Last index of each array of tables."""

    def find(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._found

    def _header(self) -> Path:
        start = self._at
        array = self._text.startswith("[[", start)
        self._at += 2 if array else 1
        keys = self._dotted_key()
        self._at += 2 if array else 1
        path: Path = ()
        for key in keys[:-1]:
            path = self._note((*path, key), start)
            if path in self._elements:
                path = (*path, self._elements[path])
        path = self._note((*path, keys[-1]), start)
        if array:
            self._elements[path] = self._elements.get(path, -1) + 1
            path = self._note((*path, self._elements[path]), start)
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = table
        for key in self._dotted_key():
            path = self._note((*path, key), start)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        first = self._text[self._at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._skip(_STRING if first in "\"'" else _BARE)

    def _array(self, path: Path) -> None:
        self._at += 1
        number = 0
        while not self._ends("]"):
            self._note((*path, number), self._at)
            self._value((*path, number))
            number += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while not self._ends("}"):
            self._pair(path)

    def _ends(self, bracket: str) -> bool:
        """Skip what separates elements; whether the closing bracket was next."""
        self._skip(_BLANK)
        if self._text.startswith(",", self._at):
            self._at += 1
            self._skip(_BLANK)
        ended = self._text.startswith(bracket, self._at)
        self._at += ended
        return ended

    def _dotted_key(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            word = self._skip(_KEY)
            keys.append(next(iter(tomllib.loads(f"{word} = 0"))) if word[0] in "\"'" else word)
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        assert match is not None, "tomllib took what this finder does not understand"
        self._at = match.end()
        return match.group()

    def _note(self, path: Path, start: int) -> Path:
        self._found.setdefault(path, self._text.count("\n", 0, start) + 1)
        return path
