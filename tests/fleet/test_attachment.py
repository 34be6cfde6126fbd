"""How `--vfio-user`, `--pci-proxy` and [[function]] say what stands in a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from baseboard.errors import ConfigError
from baseboard.fleet.attachment import Attachment, Seam, parse_attachment
from baseboard.fleet.plan import Flags, plan


@pytest.mark.parametrize(
    ("seam", "text", "path", "settings"),
    [
        (Seam.VFIO_USER, "v.sock", "v.sock", ("kcs", "memory", "none")),
        (Seam.VFIO_USER, "v.sock,interface=bt,interrupt=intx", "v.sock", ("bt", "memory", "intx")),
        (Seam.VFIO_USER, "/a,b/c,d.sock,bar=io", "/a,b/c,d.sock", ("kcs", "io", "none")),
        (Seam.VFIO_USER, "v.sock,interface=ssif", "v.sock", ("ssif", "io", "none")),
        (Seam.VFIO_USER, "v.sock,interface=ssif,bar=io", "v.sock", ("ssif", "io", "none")),
        (Seam.PCI_PROXY, "p.sock,interface=smic", "p.sock", ("smic", "io", "none")),
    ],
)
def test_flags(seam: Seam, text: str, path: str, settings: tuple[str, str, str]) -> None:
    assert parse_attachment(text, seam) == Attachment(seam, Path(path), *settings)


@pytest.mark.parametrize(
    ("seam", "text", "reason"),
    [
        (
            Seam.VFIO_USER,
            "v,interface=ssif2",
            "--vfio-user: interface 'ssif2' is not one of kcs, bt, smic, ssif",
        ),
        (
            Seam.VFIO_USER,
            "v,interface=ssif,bar=memory",
            "--vfio-user: bar 'memory': with interface=ssif it is io",
        ),
        (Seam.PCI_PROXY, "p,interface=ssif", "--pci-proxy: interface 'ssif' is not one of kcs, bt, smic"),
        (Seam.VFIO_USER, "v,irq=5", "--vfio-user: there is no irq; settings are interface, bar, interrupt"),
        (
            Seam.PCI_PROXY,
            "p,interrupt=intx",
            "--pci-proxy: there is no interrupt; settings are interface, bar",
        ),
        (Seam.PCI_PROXY, "", "--pci-proxy: '' has no path; it is PATH[,NAME=VALUE]..."),
    ],
)
def test_mistakes(seam: Seam, text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_attachment(text, seam)
    assert str(error.value) == reason


def test_the_file_and_the_flags(tmp_path: Path) -> None:
    file = tmp_path / "baseboard.toml"
    file.write_text(
        '[[function]]\nsocket = "a.sock"\n'
        '[[function]]\nseam = "pci-proxy"\nsocket = "b.sock"\ninterface = "bt"\n'
    )
    options, _ = plan(Flags(state=tmp_path / "s", config=file))
    assert options.functions == (
        Attachment(Seam.VFIO_USER, tmp_path / "a.sock", "kcs", "memory", "none"),
        Attachment(Seam.PCI_PROXY, tmp_path / "b.sock", "bt", "io", "none"),
    )
    assert options.vms == (), "nobody is looked for on the VM wire"
    options, _ = plan(Flags(state=tmp_path / "s", config=file, vfio_user=(f"{tmp_path}/c.sock",)))
    assert [item.path.name for item in options.functions] == ["c.sock"]


def test_the_file_with_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "baseboard.toml"
    file.write_text('[[function]]\nseam = "pci-proxy"\nsocket = "b.sock"\ninterrupt = "intx"\n')
    with pytest.raises(ConfigError) as error:
        plan(Flags(state=tmp_path / "s", config=file))
    assert str(error.value).endswith(
        "baseboard.toml:1: function[1]: there is no interrupt; settings are interface, bar"
    )
