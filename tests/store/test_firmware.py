"""Uploaded firmware in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from baseboard.store.database import StoreError
from baseboard.store.firmware import KEPT, keep_firmware


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = keep_firmware(tmp_path, "component-0-1.00.bin", b"image")
    assert path == tmp_path / "firmware" / "component-0-1.00.bin"
    assert path.read_bytes() == b"image"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_the_oldest_make_room(tmp_path: Path) -> None:
    for minor in range(KEPT + 3):
        path = keep_firmware(tmp_path, f"component-0-1.{minor:02}.bin", bytes((minor,)))
    assert len(list(path.parent.iterdir())) == KEPT
    assert path.exists()


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "firmware").write_text("in the way")
    with pytest.raises(StoreError, match="firmware"):
        keep_firmware(tmp_path, "component-0-1.00.bin", b"image")
