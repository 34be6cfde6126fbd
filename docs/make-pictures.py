"""Draws the pictures of the documentation from real sessions: .venv/bin/python docs/make-pictures.py"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent


def shown(console: Console, prompt: str, output: str, lines: tuple[int, int] | None = None) -> None:
    """One command and what it printed."""
    console.print(Text("$ ", style="bold green") + Text(prompt, style="bold"))
    rows = output.rstrip().splitlines()
    for row in rows[slice(*lines)] if lines else rows:
        console.print(Text(row), soft_wrap=False, overflow="crop", no_wrap=True)
    if lines:
        console.print(Text("...", style="dim"))
    console.print()


def first_look() -> None:
    """ipmitool and FreeIPMI against a simulated server."""
    console = Console(record=True, width=104, file=open("/dev/null", "w"), force_terminal=True)  # noqa: SIM115
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "state"
        command = [
            sys.executable,
            "-m",
            "baseboard",
            "run",
            "--state",
            str(state),
            "--lan",
            "127.0.0.1:0",
            "--json",
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        port, password = ready["lan"]["port"], Path(ready["password_file"]).read_text().strip()

        def run(*words: str) -> str:
            return subprocess.run(words, check=True, capture_output=True, text=True).stdout

        def ipmitool(*words: str) -> str:
            login = ("-I", "lanplus", "-H", "127.0.0.1", "-p", str(port), "-U", "admin", "-P", password)
            return run("ipmitool", *login, *words)

        head = "ipmitool -I lanplus -H 127.0.0.1 -p 6230 -U admin -f password"
        shown(console, f"{head} sdr elist", ipmitool("sdr", "elist"), (3, 18))
        ipmitool("chassis", "power", "cycle")
        shown(console, f"{head} sel elist", ipmitool("sel", "elist"))
        free = run("ipmi-fru", "-D", "LAN_2_0", "-h", f"127.0.0.1:{port}", "-u", "admin", "-p", password)
        shown(console, "ipmi-fru -D LAN_2_0 -h 127.0.0.1:6230 -u admin -P", free, (0, 12))
        process.terminate()
        process.wait()
    (HERE / "images").mkdir(exist_ok=True)
    picture = console.export_svg(title="baseboard run")
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)  # no fonts from elsewhere
    (HERE / "images" / "first-look.svg").write_text(picture.replace("Fira Code, ", ""))


if __name__ == "__main__":
    first_look()
