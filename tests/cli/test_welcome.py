"""The QEMU options that `baseboard run` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from baseboard.aio.endpoint import parse_console, parse_vm
from baseboard.cli.welcome import qemu_options, serial_options, welcome
from baseboard.fleet.options import Options
from baseboard.store.password import Password


@pytest.mark.parametrize(
    ("address", "interface", "options"),
    [
        (
            "connect:unix:/run/vm.sock",
            "kcs",
            "-chardev socket,id=ipmi0,path=/run/vm.sock,server=on,wait=off "
            "-device ipmi-bmc-extern,id=bmc0,chardev=ipmi0 -device isa-ipmi-kcs,bmc=bmc0",
        ),
        (
            "connect:tcp:127.0.0.1:9002",
            "bt",
            "-chardev socket,id=ipmi0,host=127.0.0.1,port=9002,server=on,wait=off "
            "-device ipmi-bmc-extern,id=bmc0,chardev=ipmi0 -device isa-ipmi-bt,bmc=bmc0",
        ),
        (
            "listen:unix:/run/a b,c",
            "ssif",
            "-chardev 'socket,id=ipmi0,path=/run/a b,,c,reconnect=1' "
            "-device ipmi-bmc-extern,id=bmc0,chardev=ipmi0 -device smbus-ipmi,bmc=bmc0",
        ),
    ],
)
def test_qemu_options(address: str, interface: str, options: str) -> None:
    assert qemu_options(parse_vm(address), interface) == options


def test_serial_options() -> None:
    assert serial_options(parse_console("unix:/run/serial")) == (
        "-chardev socket,id=serial0,path=/run/serial,server=on,wait=off -serial chardev:serial0"
    )


@pytest.mark.parametrize("changed", [False, True])
def test_a_password_that_a_command_changed_is_not_passed_off_as_the_files(changed: bool) -> None:
    ready = {"lan": {"host": "127.0.0.1", "port": 6230}, "user": "admin", "state": "/s"}
    text = welcome(ready, Options(state=Path("/s")), Password(Path("/s/password"), b"geheim"), changed)
    assert ("changed by a command: no longer the one in /s/password" in text) is changed
    assert "geheim" not in text
