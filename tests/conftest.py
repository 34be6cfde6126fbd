"""What all tests share: a test is marked by where it lives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("baseboard", settings(), deadline=None)  # a busy machine is no failure
settings.load_profile("baseboard")

INTEROP = Path(__file__).parent / "interop"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(INTEROP):
            item.add_marker(pytest.mark.interop)
            if item.path.name.startswith("test_guest_"):
                item.add_marker(pytest.mark.guest)
