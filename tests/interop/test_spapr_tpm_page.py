"""docs/how-to/use-a-tpm-through-the-hypercall.md, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.programs import require_program

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-a-tpm-through-the-hypercall.md"
ENDS = "Without the resource manager"


def run(directory: Path, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command,
        input=text,
        cwd=directory,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def commands(text: str) -> str:
    return "".join(
        f"{line}\n"
        for line in re.findall(r"^    (\S.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M)
    )


def test_the_page() -> None:
    require_program("swtpm")
    require_program("tpm2_unseal")
    before, _, after = PAGE.read_text().partition(f"## {ENDS}\n")
    example = re.search(r"```python\n(.*?)```", after, re.DOTALL)
    assert example is not None
    *rest, stop = commands(after).splitlines()
    keys = "tpm2_createprimary -Q -c primary.ctx -G ecc\n" * 3
    with TemporaryDirectory() as name:
        directory = Path(name)
        try:
            done = run(directory, "bash", "-e", text=commands(before))
            plugged = f"device tpm-proxy, id tpm0, tpm unix:{directory}/tpm/socket\n"
            assert (done.returncode, done.stdout) == (0, "the key to a disk\n" * 2 + plugged), done.stderr
            script = "\n".join(rest) + f"\n{keys}! tpm2_createprimary -Q -c fourth.ctx -G ecc\n"
            done = run(directory, "bash", "-e", text=script)
            assert done.returncode == 0, done.stderr
            assert "0x902" in done.stderr.lower()
            done = run(directory, sys.executable, "-c", example[1])
            assert done.returncode == 0, done.stderr
        finally:
            run(directory, "bash", "-e", text=stop)
