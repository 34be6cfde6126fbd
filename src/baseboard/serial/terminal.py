"""Lines of Terminal Mode: editing, echo, and hexadecimal messages.  [IPMI 14.7]

    [18 00 01]                    Get Device ID: netFn/rsLUN, rqSeq/bridge, command, data
    [1C 00 01 00 20 ...]          its answer, completion code first
    [SYS POWER ON]                a command in words, answered [OK] or [ERR cc]

What is outside brackets is not looked at. A backslash before the end of a line continues it; escape forgets
what was typed. How lines end, what is echoed and how a character is taken back say the serial parameters
[IPMI Table 25-4, parameter 29].
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 256
"""Characters of a line with its continuations; 122 are asked for."""
ESCAPE, BACKSPACE, DELETE, BACKSLASH = 0x1B, 0x08, 0x7F, 0x5C
SECRET = b"[SYS PWD"
"""What follows is not echoed: it has the password in it."""

# fmt: off
OUTPUT_NEWLINES = {0: b"", 1: b"\r\n", 2: b"\0", 3: b"\r", 4: b"\n\r", 5: b"\n"}
INPUT_NEWLINES  = {1: b"\r", 2: b"\0"}
# fmt: on


@dataclass(frozen=True, slots=True)
class TerminalSettings:
    """Serial parameter 29."""

    line_editing: bool
    erase: bool
    """A deletion is shown as backspace, space, backspace; else as a delete character."""
    echo: bool
    handshake: bool
    """[SYS] says that the next line can come."""
    output_newline: bytes
    input_newline: bytes

    @classmethod
    def decode(cls, data: bytes) -> TerminalSettings:
        """The parameter's two bytes.  Reserved kinds of newline are CR-LF and CR."""
        return cls(
            line_editing=bool(data[0] & 0x20),
            erase=data[0] >> 2 & 3 == 1,
            echo=bool(data[0] & 0x02),
            handshake=bool(data[0] & 0x01),
            output_newline=OUTPUT_NEWLINES.get(data[1] >> 4, b"\r\n"),
            input_newline=INPUT_NEWLINES.get(data[1] & 0x0F, b"\r"),
        )


class LineReader:
    """Takes the characters of a port; what is to be echoed gathers in `echo`."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._too_long = False
        self.echo = bytearray()

    def take(self, character: int, settings: TerminalSettings) -> bytes | None:
        """The line that this character completes, without its end; one that was too long is empty."""
        line, one = self._line, bytes((character,))
        if one == settings.input_newline:
            return self._end(settings)
        if character == ESCAPE:
            self.clear()
        elif settings.line_editing and character in (BACKSPACE, DELETE):
            if line:
                secret = line.startswith(SECRET)
                del line[-1]
                if settings.echo and not secret:
                    self.echo += b"\x08 \x08" if settings.erase else b"\x7f"
        elif 0x20 <= character < 0x7F:
            if settings.echo and not line.startswith(SECRET):
                self.echo += one
            line.append(character)
            if len(line) > LONGEST:
                self._too_long = True
                del line[:]
        return None

    def _end(self, settings: TerminalSettings) -> bytes | None:
        if settings.echo:
            self.echo += settings.output_newline
        if self._line[-1:] == b"\\":
            del self._line[-1]
            return None
        line = b"" if self._too_long else bytes(self._line)
        empty = not line and not self._too_long
        self.clear()
        return None if empty else line

    def clear(self) -> None:
        """Forget what was typed."""
        del self._line[:]
        self._too_long = False


def between_brackets(line: bytes) -> str | None:
    """What stands between the last `[` and the `]` after it; None: nothing does."""
    _, opened, rest = line.decode("ascii", "replace").rpartition("[")
    inside, closed, _ = rest.partition("]")
    return inside if opened and closed else None


def decode_hexadecimal(text: str) -> bytes | None:
    """Pairs of digits with or without spaces between them; None: they are not."""
    digits = text.replace(" ", "")
    if len(digits) % 2 or any(character not in "0123456789abcdefABCDEF" for character in digits):
        return None
    return bytes.fromhex(digits)


def encode_hexadecimal(message: bytes) -> bytes:
    """A message in brackets."""
    return b"[" + message.hex(" ").upper().encode() + b"]"
