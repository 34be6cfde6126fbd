"""A configuration file's text with the places of its keys: what turns a mistake into a message."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baseboard.errors import ConfigError
from baseboard.store import toml_lines

LARGEST = 4_000_000
"""Bytes; whatever is longer was not meant."""

FOUND_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Source:
    """Where things stand in one file."""

    path: Path
    data: dict[str, Any]
    lines: dict[toml_lines.Path, int]

    def line(self, loc: toml_lines.Path) -> int:
        """The line of a key, or of the nearest table around it."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def place(self, loc: toml_lines.Path) -> str:
        """FILE:LINE."""
        return f"{self.path}:{self.line(loc)}"

    def mistake(self, loc: toml_lines.Path, text: str) -> str:
        """One mistake in one line: place, key, what is wrong."""
        return f"{self.place(loc)}: {key(loc)}: {text}" if loc else f"{self.place(loc)}: {text}"


def key(loc: toml_lines.Path) -> str:
    """A path as a person writes it; elements are counted from 1."""
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text


def found(value: Any) -> str:
    """A value of the file as the file may have it, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = str(value)
    return text if len(text) <= FOUND_WIDTH else text[:FOUND_WIDTH] + "..."


def read(path: Path, advice: str) -> Source:
    """Read and parse a file.  Raises ConfigError, with `advice` if there is none."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(
            f"configuration file {path}: {error.strerror}; {advice}"
            if isinstance(error, FileNotFoundError)
            else f"configuration file {path}: {error.strerror}"
        ) from error
    if len(raw) > LARGEST:
        raise ConfigError(f"configuration file {path} has more than {LARGEST} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: byte {raw[error.start]:02X}h is not UTF-8, which TOML is"
        ) from error
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ConfigError(_syntax(path, text, str(error))) from error
    return Source(path, data, toml_lines.lines(text))


def _syntax(path: Path, text: str, reason: str) -> str:
    """tomllib's "... (at line 3, column 5)" in our form, with the line itself."""
    words, _, place = reason.partition(" (at ")
    number = "".join(character for character in place.partition(",")[0] if character.isdigit())
    if not number:
        return f"{path}:{text.count(chr(10)) + 1}: {words}"
    line = text.splitlines()[int(number) - 1 : int(number)]
    return f"{path}:{number}: {words}" + (f": found {line[0].strip()[:FOUND_WIDTH]}" if line else "")
