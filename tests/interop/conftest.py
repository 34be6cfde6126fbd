"""Fixtures of the live tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.attached import INTERFACES, Attached
from tests.interop.baseboard import Baseboard
from tests.interop.guest import QEMU, Guest, Image, image
from tests.programs import require_program

StartBaseboard = Callable[..., Baseboard]
StartGuest = Callable[..., Guest]


@pytest.fixture
def baseboard(tmp_path: Path) -> Iterator[StartBaseboard]:
    """`baseboard(*args, state=DIR)` starts one, also once more on the same state; the test's end ends all."""
    started: list[Baseboard] = []

    def start(*args: str, state: Path = tmp_path / "state") -> Baseboard:
        started.append(Baseboard(*args, state=state))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def guest_image() -> Image:
    """The guest's kernel and initramfs, made now if this machine does not have them yet."""
    require_program(QEMU)
    return image()


@pytest.fixture
def guest(guest_image: Image) -> Iterator[StartGuest]:
    """`guest(...)` boots one, with the arguments of `Guest`; all are ended with the test."""
    started: list[Guest] = []

    def start(*args: object, **options: object) -> Guest:
        started.append(Guest(*args, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for machine in started:
        machine.kill()


@pytest.fixture(scope="session", params=INTERFACES, ids=str)
def attached(
    request: pytest.FixtureRequest, guest_image: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Attached]:
    """A guest with baseboard as its BMC, over each system interface in turn; shared by all tests."""
    pair = Attached(request.param, tmp_path_factory.mktemp(request.param.name))
    yield pair
    pair.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure in a guest test shows what guest and baseboard said last."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    pair = getattr(item, "funcargs", {}).get("attached")
    if report.failed and isinstance(pair, Attached):
        report.sections.append(("guest and baseboard", pair.tail()))
