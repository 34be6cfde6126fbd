"""The kernel and initial RAM disk that the test guests boot.

Debian's kernel package is downloaded and unpacked, never installed: its kernel, the IPMI drivers out of it,
busybox, and this machine's ipmitool and FreeIPMI with the libraries they need make up the guest. Packages and
result are kept in `.cache/guest/`, the result under a key made of everything that went into it.
"""

from __future__ import annotations

import functools
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]
CACHE = PROJECT / ".cache" / "guest"

KERNEL = "linux-image-amd64"  # depends on the real kernel package; the cloud kernel has no IPMI drivers

MODULES = (
    # how the test talks to the guest
    "virtio_pci", "virtio_console",
    # the IPMI drivers
    "ipmi_msghandler", "ipmi_devintf", "ipmi_si", "ipmi_ssif", "ipmi_watchdog", "ipmi_poweroff",
    # SMBus controllers of the machines "pc" and "q35", and a look at them
    "i2c-piix4", "i2c-i801", "i2c-dev",
    # the power button
    "button", "evdev",
)  # fmt: skip

PROGRAMS = (
    "ipmitool",
    "bmc-config", "bmc-device", "bmc-info", "ipmi-chassis", "ipmi-chassis-config", "ipmi-config", "ipmi-fru",
    "ipmi-locate", "ipmi-raw", "ipmi-sel", "ipmi-sensors",
)  # fmt: skip

UNPACKED_PROGRAMS = {
    "bmc-watchdog": "freeipmi-bmc-watchdog",  # to install it would start its daemon on this machine
}

DATA = (
    "/usr/share/misc/enterprise-numbers.txt",  # ipmitool complains without it
    "/usr/share/ipmitool/oem_ibm_sel_map",
)

FILES = {
    "init": "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nexec /bin/init\n",
    "etc/passwd": "root::0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/issue": "baseboard test guest \\l\n",
    "etc/profile": "PATH=/bin:/sbin:/usr/bin:/usr/sbin\n",
}


class MissingError(Exception):
    """Something that the guest is made of is not on this machine; says what and how to get it."""


@dataclass(frozen=True)
class Image:
    """What a machine boots: paths for `-kernel` and `-initrd`."""

    kernel: Path
    initramfs: Path
    version: str  # the kernel package and its version


@dataclass(frozen=True)
class Package:
    """A Debian package in the version that apt would install."""

    name: str
    version: str


@functools.cache
def image() -> Image:
    """The image, built now if this machine does not have it yet."""
    kernel = _candidate(_dependency(KERNEL))
    others = tuple(_candidate(name) for name in UNPACKED_PROGRAMS.values())
    directory = CACHE / f"{kernel.name}-{kernel.version}-{_key(others)}"
    if not directory.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="building-") as scratch:
            _build(Path(scratch), kernel, others)
            for old in CACHE.glob("linux-*-*/"):
                shutil.rmtree(old)
            (Path(scratch) / "image").rename(directory)
    return Image(directory / "vmlinux", directory / "initramfs", f"{kernel.name} {kernel.version}")


def _build(scratch: Path, kernel_package: Package, others: Sequence[Package]) -> None:
    target = scratch / "image"
    target.mkdir()
    kernel = _unpack(kernel_package, scratch)
    (target / "vmlinux").write_bytes(_uncompressed(next(kernel.glob("boot/vmlinuz-*"))))

    archive = Archive()
    for name, text in FILES.items():
        archive.file(name, text.encode(), 0o755 if name == "init" else 0o644)
    for name in ("inittab", "start", "serve-commands", "serve-login"):
        archive.file(f"etc/{name}", (HERE / name).read_bytes(), 0o755)
    archive.file("bin/busybox", _program("busybox").read_bytes(), 0o755)

    programs = {str(_program(name)): _program(name) for name in PROGRAMS}
    for name, package in zip(UNPACKED_PROGRAMS, others, strict=True):
        programs[f"usr/sbin/{name}"] = _unpack(package, scratch) / "usr/sbin" / name
    for place, program in programs.items():
        archive.file(place.lstrip("/"), program.read_bytes(), 0o755)
        for library in _libraries(program):
            archive.file(str(library).lstrip("/"), library.read_bytes(), 0o755)
    for path in DATA:
        if Path(path).exists():
            archive.file(path.lstrip("/"), Path(path).read_bytes())

    _add_modules(archive, next(kernel.glob("**/lib/modules/*/kernel")).parent)
    (target / "initramfs").write_bytes(archive.finish())


def _add_modules(archive: Archive, tree: Path) -> None:
    """The modules and all that they depend on, uncompressed, with the index that modprobe reads."""
    paths = {_module_name(path): path for path in tree.rglob("*.ko*")}
    depends: dict[str, list[str]] = {}

    def visit(name: str) -> None:
        if name not in depends:
            if name not in paths:
                raise MissingError(f"the kernel package in {tree} has no module {name}")
            data = _module_data(paths[name])
            found = re.search(rb"\0depends=([^\0]*)\0", data)
            depends[name] = (
                [_module_name(Path(n)) for n in found[1].decode().split(",") if n] if found else []
            )
            for other in depends[name]:
                visit(other)
            archive.file(f"lib/modules/{tree.name}/{name}.ko", data)

    def needs(name: str) -> Iterator[str]:
        for other in depends[name]:
            yield from needs(other)
            yield other

    for name in MODULES:
        visit(_module_name(Path(name)))
    index = ""
    for name in depends:  # modprobe loads from the end of the line to its beginning
        first_to_last = dict.fromkeys(needs(name))
        index += f"{name}.ko: {' '.join(f'{other}.ko' for other in reversed(first_to_last))}\n"
    archive.file(f"lib/modules/{tree.name}/modules.dep", index.encode())


class Archive:
    """A cpio archive in the "newc" form that the kernel unpacks.  [Linux, early-userspace/buffer-format]"""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._names: set[str] = set()
        for directory in ("dev", "proc", "sys", "tmp", "run", "root", "sbin", "usr/bin", "usr/sbin"):
            self._directory(directory)
        self._node("dev/console", 0o020600, b"", device=(5, 1))

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        if name not in self._names:
            self._directory(os.path.dirname(name))
            self._node(name, 0o100000 | mode, data)

    def finish(self) -> bytes:
        self._node("TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _directory(self, name: str) -> None:
        if name and name not in self._names:
            self._directory(os.path.dirname(name))
            self._node(name, 0o040755, b"")

    def _node(self, name: str, mode: int, data: bytes, device: tuple[int, int] = (0, 0)) -> None:
        self._names.add(name)
        number = len(self._names)
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        for part in (head, data):
            self._parts += (part, bytes(-len(part) % 4))


def _dependency(package: str) -> str:
    lines = _output(["apt-cache", "depends", "--important", package]).splitlines()
    for line in lines:
        if line.strip().startswith("Depends: linux-image-"):
            return line.split()[-1]
    raise MissingError(f"apt knows no {package}: run apt-get update")


def _candidate(name: str) -> Package:
    found = re.search(r"Candidate: (\S+)", _output(["apt-cache", "policy", name]))
    if found is None or found[1] == "(none)":
        raise MissingError(f"apt has no {name}: run apt-get update")
    return Package(name, found[1])


def _unpack(package: Package, scratch: Path) -> Path:
    """Downloads a package if it is not in the cache, and unpacks it; nothing is installed."""
    archive = CACHE / f"{package.name}_{package.version}.deb"
    if not archive.exists():
        _output(["apt-get", "download", f"{package.name}={package.version}"], cwd=scratch)
        for old in CACHE.glob(f"{package.name}_*.deb"):
            old.unlink()
        next(scratch.glob(f"{package.name}_*.deb")).rename(archive)
    directory = scratch / package.name
    _output(["dpkg-deb", "--extract", str(archive), str(directory)])
    return directory


def _key(packages: Sequence[Package]) -> str:
    """Changes with this module, the guest's scripts and the programs that go in."""
    content = hashlib.sha256(repr(packages).encode())
    for path in sorted(HERE.iterdir()):
        if path.is_file():
            content.update(path.read_bytes())
    for name in ("busybox", *PROGRAMS):
        status = _program(name).stat()
        content.update(f"{name} {status.st_size} {status.st_mtime_ns}".encode())
    return content.hexdigest()[:12]


def _program(name: str) -> Path:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise MissingError(f"{name} is not installed: run scripts/test, or see scripts/debian-packages.txt")
    return Path(found)


def _libraries(program: Path) -> list[Path]:
    if not program.read_bytes().startswith(b"\x7fELF"):
        return []  # bmc-config is a script around ipmi-config
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", _output(["ldd", str(program)]))]


def _module_name(path: Path) -> str:
    return path.name.split(".")[0].replace("-", "_")


def _module_data(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _uncompressed(bzimage: Path) -> bytes:
    """The ELF kernel inside a bzImage. QEMU boots it directly (PVH); to unpack it under tcg takes seconds."""
    data = bzimage.read_bytes()
    start = data.find(b"\xfd7zXZ\0")
    if start < 0:
        raise MissingError(f"{bzimage.name} is not packed with xz")
    return lzma.LZMADecompressor().decompress(data[start:])


def _output(command: Sequence[str], cwd: Path | None = None) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
    except FileNotFoundError as error:
        raise MissingError(f"{command[0]} is not installed: the guest is made of Debian packages") from error
    if done.returncode != 0:
        raise MissingError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
