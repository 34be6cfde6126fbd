"""Programs that we did not write and that a test needs."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

PATH = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/sbin"


def require_program(name: str) -> str:
    """Where the program is. Without it the test is skipped, but in continuous integration it fails."""
    return shutil.which(name, path=PATH) or missing(f"{name} is not installed (scripts/packages installs it)")


def missing(reason: str) -> NoReturn:
    """Skips the test and says why; in continuous integration nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
