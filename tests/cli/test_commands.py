"""Commands that need no running instance, and how each of them fails."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.cli.conftest import Run, command

from baseboard.cli.app import COMMANDS
from baseboard.cli.run import run as run_command


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"baseboard {version('baseboard')}\n"


def test_help_lists_every_command(run: Run) -> None:
    text = run("--help").stdout
    for name in ("run", "init", "check", "status", "sensor", "sel", "fru", "power", "load", "reset-state"):
        assert re.search(rf"\b{name}\b", text)
    assert "--password-file FILE" in run("run", "--help").stdout


def test_init_and_check(run: Run, tmp_path: Path) -> None:
    assert "use it with: baseboard run --config" in run("init").stdout
    assert run("check", "baseboard.toml").stdout == "baseboard.toml is right\n"
    assert json.loads(run("check", "baseboard.toml", "--json").stdout)["mistakes"] == []
    error = run("init", code=2).stderr
    assert (
        error == "baseboard: baseboard.toml exists already: name another file, or replace it with --force\n"
    )
    run("init", "--force")
    assert run("init", "-").stdout == (tmp_path / "baseboard.toml").read_text()
    assert "nowhere" in run("init", "nowhere/b.toml", code=2).stderr


def test_check_tells_every_mistake(run: Run, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text('[lan]\nport = 70000\n[sel]\ncapacity = "x"\n')
    mistakes = [
        "b.toml:2: lan.port: found 70000; allowed: a whole number, 0 to 65535",
        'b.toml:4: sel.capacity: found "x"; allowed: a whole number, 1 to 65534',
    ]
    assert run("check", "b.toml", code=2).stderr.splitlines() == mistakes
    assert json.loads(run("check", "b.toml", "--json", code=2).stdout)["mistakes"] == mistakes
    assert run("run", "--config", "b.toml", "--state", "s", code=2).stderr.splitlines() == mistakes


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("sensor", "list"),
        ("sensor", "set", "x", "1"),
        ("sel", "list"),
        ("sel", "clear"),
        ("fru",),
        ("power",),
        ("power", "on"),
        ("load",),
    ],
)
def test_no_instance_is_running(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    error = run(*words, code=1).stderr
    assert error == (
        f"baseboard: no instance is running in {tmp_path}/xdg/baseboard/default: "
        "start one with `baseboard run`, or name the right directory with --state\n"
    )
    assert "start one with `baseboard run --state s`" in run(*words, "--state", "s", code=1).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--lan", "here"), "--lan: 'here' is not HOST:PORT (PORT 0-65535; an IPv6 host in brackets)"),
        (("--vm", "unix:x"), "--vm: 'unix:x' is not connect:unix:PATH, listen:unix:PATH"),
        (("--console", "tty"), "--console: 'tty' is not unix:PATH, tcp:HOST:PORT or pty"),
        (("--power", "up"), "--power: 'up' is not one of simulated, vm, qemu"),
        (("--interface", "smic"), "--interface: 'smic' is not one of kcs, bt, ssif"),
        (("--user", "x" * 17), f"--user: '{'x' * 17}' is not a name of 1 to 16 bytes"),
        (("--password-file", "nowhere"), "password file "),
        (
            ("--config", "nowhere"),
            "configuration file nowhere: No such file or directory; `baseboard init nowhere`",
        ),
    ],
)
def test_flags_that_are_wrong(run: Run, words: tuple[str, ...], message: str) -> None:
    assert run("run", *words, "--state", "s", code=2).stderr.startswith(f"baseboard: {message}")


def test_usage_errors(run: Run) -> None:
    assert "--lann" in run("run", "--lann", "x", code=2).stderr
    assert "Got unexpected extra argument (x)" in run("run", "x", "--", "qemu", code=2).stderr
    assert "No such option" in run("sensor", "list", "--nope", code=2).stderr
    assert "No such command" in run("sensr", code=2).stderr
    assert "Commands:" in run("sensor", code=2).stderr


def test_qemus_command_line_is_left_as_it_is() -> None:
    qemu = ("qemu-system-x86_64", "--help", "-S", "--lan", "--", "x")
    given = run_command.make_context("run", ["--lan", "127.0.0.1:0", "--", *qemu]).params
    assert (given["lan"], given["qemu"]) == ("127.0.0.1:0", qemu)
    assert run_command.make_context("run", []).params["qemu"] == ()


def test_a_start_that_fails_keeps_no_password_that_nobody_was_told(run: Run, tmp_path: Path) -> None:
    run("run", "--lan", "192.0.2.1:0", "--state", "s", code=2)
    assert not (tmp_path / "s" / "password").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_run_tells_what_to_type_next(tmp_path: Path, number: signal.Signals) -> None:
    def start() -> tuple[str, str]:
        process = subprocess.Popen(
            command("run", "--lan", "127.0.0.1:0", "--state", tmp_path / "s"),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        text = ""
        while not text.endswith("Ctrl-C to stop.\n"):
            line = process.stdout.readline()
            assert line, text
            text += line
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)
        assert (process.returncode, rest) == (0, "")
        port = re.search(r"port (\d+)/udp", text)
        assert port
        return text, port[1]

    text, port = start()
    password = (tmp_path / "s" / "password").read_text().strip()
    assert f"password  {password}   (made just now, shown only this once)" in text
    assert f"ipmitool -I lanplus -H 127.0.0.1 -p {port} -U admin -f {tmp_path}/s/password mc info" in text
    assert (
        f"-chardev socket,id=ipmi0,path={tmp_path}/s/vm.sock,server=on,wait=off "
        "-device ipmi-bmc-extern,id=bmc0,chardev=ipmi0 -device isa-ipmi-kcs,bmc=bmc0"
    ) in text
    again, _ = start()
    assert password not in again
    assert f"in {tmp_path}/s/password" in again


def test_reset_state(run: Run, tmp_path: Path) -> None:
    assert run("reset-state", "--state", "s").stdout == "s: nothing was kept\n"
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "baseboard.db").write_text("damaged")
    (tmp_path / "s" / "password").write_text("geheim\n")
    error = run("run", "--lan", "127.0.0.1:0", "--state", "s", code=2).stderr
    assert "baseboard.db cannot be read" in error
    assert f"baseboard reset-state --state {tmp_path}/s" in error
    assert json.loads(run("reset-state", "--state", "s", "--json").stdout) == {"state": "s", "reset": True}
    assert set(os.listdir(tmp_path / "s")) == {"lock", "password"}


def test_the_reference_has_every_flag_and_command() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "command-line.md").read_text()
    for option in run_command.params:
        assert f"`{' '.join(filter(None, (option.opts[0], option.metavar)))}`" in text
    for name in COMMANDS:
        assert f"baseboard {name} " in text
