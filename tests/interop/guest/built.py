"""Programs of our own for a guest, built from their source for its architecture."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from tests.firmware import SOURCE
from tests.interop.apt import output
from tests.interop.kept import CACHE, kept
from tests.interop.unpacked import unpacked
from tests.programs import require_program


@functools.cache
def relay() -> Path:
    """ipmi-relay for armhf, by the compiler that builds the firmware, with musl as its C library."""
    require_program("arm-none-eabi-gcc")
    musl = unpacked("musl-dev", architecture="armhf")
    key = hashlib.sha256(f"{musl}".encode())
    for path in sorted(
        (*(SOURCE / "relay").glob("*.[ch]"), *SOURCE.glob("*.[ch]"), SOURCE / "relay" / "Makefile")
    ):
        key.update(path.read_bytes())

    def build(scratch: Path) -> Path:
        make = (require_program("make"), "-s", "-C", str(SOURCE / "relay"), f"BUILD={scratch / 'relay'}")
        output(*make, "CROSS=arm-none-eabi-", f"MUSL={musl}")
        return scratch / "relay"

    return kept(CACHE / "guest" / "relay", key.hexdigest()[:12], build) / "ipmi-relay"
