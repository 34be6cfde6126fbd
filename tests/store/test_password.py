"""One line, at most 20 bytes, and for nobody else's eyes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from baseboard.errors import ConfigError
from baseboard.store.password import first_password, read_password


def test_the_first_run_makes_one_that_ipmi_15_can_use(tmp_path: Path) -> None:
    state = tmp_path / "state"
    made = first_password(state)
    assert made.fresh
    assert made.value.isalnum()  # no dash in front that a client would take for an option
    assert len(made.value) == 16
    assert made.value.decode() not in repr(made)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    again = first_password(state)
    assert (again.value, again.fresh) == (made.value, False)


@pytest.mark.parametrize("data", [b"secret", b"secret\n", b"secret\r\n"])
def test_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p").write_bytes(data)
    assert read_password(tmp_path / "p").value == b"secret"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty: it needs one line of 1 to 20 bytes"),
        (b"\n", "is empty"),
        (b"one\ntwo\n", "more than one line"),
        (b"x" * 21, "found 21 bytes, IPMI allows 1 to 20"),
        (b"x" * 999, "found 256 bytes or more"),
        (b"a\0b", "zero byte"),
    ],
)
def test_what_is_no_password(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "p").write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        read_password(tmp_path / "p")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"password file .*nowhere: No such file"):
        read_password(tmp_path / "nowhere")
