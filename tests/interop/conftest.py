"""Fixtures of the live tests."""

from __future__ import annotations

import socket
import subprocess
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


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[int]:
    """OpenIPMI's, with one controller; the TCP port of its VM wire."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (tmp_path / "lan.conf").write_text(
        f'name "sim"\nset_working_mc 0x20\n  serial 15 127.0.0.1 {port} codec VM\n'
    )
    (tmp_path / "emu").write_text(
        "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\n"
        "sel_enable 0x20 100 0x0a\nmc_enable 0x20\n"
    )
    process = subprocess.Popen(
        [require_program("ipmi_sim"), "-c", "lan.conf", "-f", "emu", "-s", str(tmp_path), "-n"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    yield port
    process.kill()
    process.wait()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure in a guest test shows what guest and baseboard said last."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    pair = getattr(item, "funcargs", {}).get("attached")
    if report.failed and isinstance(pair, Attached):
        report.sections.append(("guest and baseboard", pair.tail()))
