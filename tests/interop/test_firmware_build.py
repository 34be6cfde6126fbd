"""The prebuilt images are what their source says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.firmware import IMAGES, SOURCE, firmware
from tests.programs import require_program

COMPILER = "12.2.1"
"""Of the prebuilt images; another one makes other bytes."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = require_program("arm-none-eabi-gcc")
    version = subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True, check=True)
    if version.stdout.strip() != COMPILER:
        pytest.skip(f"the images were made by gcc {COMPILER}, this is {version.stdout.strip()}")
    directory = tmp_path_factory.mktemp("firmware")
    make = [require_program("make"), "-C", str(SOURCE), f"BUILD={directory}"]
    done = subprocess.run(make, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return directory


@pytest.mark.parametrize("name", IMAGES)
def test_image_is_reproducible(built: Path, name: str) -> None:
    assert (built / f"{name}.elf").read_bytes() == firmware(name).read_bytes()


def test_no_other_images(built: Path) -> None:
    assert {path.stem for path in built.iterdir()} == set(IMAGES)
    assert {path.stem for path in firmware("any").parent.iterdir()} == set(IMAGES)
