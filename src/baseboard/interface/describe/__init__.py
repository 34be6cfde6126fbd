"""What firmware tells the operating system about a system interface.

One plain `Description` becomes an SMBIOS structure (`smbios`), an ACPI device in an SSDT (`acpi`, written
with `aml`) and an SPMI table (`spmi`), each as the bytes of the file that QEMU takes: `-smbios file=` and
`-acpitable file=`. Nothing here is a device: the registers are in `kcs`, `bt`, `smic`, `ssif` beside it.
"""

from baseboard.interface.describe.acpi import ssdt
from baseboard.interface.describe.description import Description, Kind, Space, Trigger
from baseboard.interface.describe.smbios import smbios
from baseboard.interface.describe.spmi import spmi

__all__ = ["Description", "Kind", "Space", "Trigger", "smbios", "spmi", "ssdt"]
