"""The kernel and initial RAM disk that the test guests boot.

Debian's kernel package is downloaded and unpacked, never installed: its kernel, the IPMI drivers out of it,
busybox, ipmitool and FreeIPMI with the libraries they need make up the guest. The result is kept in
`.cache/guest/`, under a key made of everything that went into it.
"""

from __future__ import annotations

import functools
import hashlib
import lzma
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.interop.apt import output
from tests.interop.kept import CACHE, kept
from tests.interop.unpacked import archives, dependency, unpacked
from tests.programs import missing, require_program

from .architecture import AMD64, Architecture, DeviceTree

HERE = Path(__file__).parent
TREE = "machine.dtb"
SCRIPTS = ("inittab", "start", "serve-commands", "serve-login")

DATA = (
    "usr/share/misc/enterprise-numbers.txt",  # ipmitool complains without it
    "usr/share/ipmitool/oem_ibm_sel_map",
)

FILES = {
    "init": "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nexec /bin/init\n",
    "etc/passwd": "root::0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/issue": "baseboard test guest \\l\n",
    "etc/profile": "PATH=/bin:/sbin:/usr/bin:/usr/sbin\n",
}


@dataclass(frozen=True)
class Image:
    """What a machine boots: paths for `-kernel` and `-initrd`."""

    kernel: Path
    initramfs: Path
    version: str  # the kernel package and its version
    device_tree: Path | None = None

    def arguments(self) -> list[str]:
        """What QEMU's command line says of the device tree."""
        return ["-dtb", str(self.device_tree)] if self.device_tree is not None else []


@functools.cache
def image(architecture: Architecture = AMD64) -> Image:
    """The image, built now if this machine does not have it yet."""
    where = {"suite": architecture.suite}
    if architecture.foreign:
        where["architecture"] = architecture.debian
    kernel = archives(dependency(architecture.kernel, "linux-image-", **where), **where)[0]
    packages = unpacked(*architecture.packages, **where, closure=architecture.foreign)
    content = _content(architecture, packages)

    def build(scratch: Path) -> Path:
        target = scratch / "image"
        target.mkdir()
        output("dpkg-deb", "--extract", str(kernel), str(scratch / "kernel"))
        (target / "vmlinux").write_bytes(_uncompressed(next(scratch.glob("kernel/boot/vmlinu*-*"))))
        archive = Archive()
        for name, text in FILES.items():
            archive.file(name, text.encode(), 0o755 if name == "init" else 0o644)
        for name in SCRIPTS:
            archive.file(f"etc/{name}", (HERE / name).read_bytes(), 0o755)
        root = packages if architecture.foreign else Path("/")
        for place, path in content.items():
            archive.file(place, path.read_bytes(), path.stat().st_mode & 0o777)
            _add_libraries(archive, path, root, architecture.libraries)
        tree = next(scratch.glob("kernel/**/lib/modules/*/kernel")).parent
        _add_modules(archive, tree, architecture.modules)
        (target / "initramfs").write_bytes(archive.finish())
        if architecture.device_tree is not None:
            found = next(scratch.glob(f"kernel/usr/lib/linux-image-*/{architecture.device_tree.name}"))
            _add_device_tree(target / TREE, found, architecture.device_tree)
        return target

    directory = kept(CACHE / "guest" / architecture.debian, _key(kernel, packages, content), build)
    tree = directory / TREE if architecture.device_tree is not None else None
    return Image(directory / "vmlinux", directory / "initramfs", kernel.stem, tree)


def _content(architecture: Architecture, packages: Path) -> dict[str, Path]:
    """The programs and data of the guest: where they go, and where they are now."""
    content = {path: packages / path for paths in architecture.packages.values() for path in paths}
    content |= {place: make() for place, make in architecture.built.items()}
    for name in architecture.installed:
        program = Path(require_program(name))
        content["bin/busybox" if name == "busybox" else str(program).lstrip("/")] = program
    if not architecture.foreign:
        content |= {path: Path("/", path) for path in DATA if Path("/", path).exists()}
    return content


def _key(kernel: Path, packages: Path, content: dict[str, Path]) -> str:
    """Changes with this module, the guest's scripts and the programs that go in."""
    key = hashlib.sha256(f"{kernel} {packages}".encode())
    for path in (Path(__file__), HERE / "architecture.py", *(HERE / name for name in SCRIPTS)):
        key.update(path.read_bytes())
    for place, path in content.items():
        key.update(f"{place} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return key.hexdigest()[:12]


def _add_device_tree(target: Path, found: Path, wanted: DeviceTree) -> None:
    target.write_bytes(found.read_bytes())
    for node in wanted.enabled:
        output(require_program("fdtput"), "-t", "s", str(target), node, "status", "okay")


def _add_libraries(archive: Archive, program: Path, root: Path, directory: str) -> None:
    """The libraries that an ELF file names, those that they name, and the loader where it asks for it."""
    data = program.read_bytes()
    if not data.startswith(b"\x7fELF"):
        return  # bmc-config is a script around ipmi-config
    for name in re.findall(rb"(?<=\0)[-+.\w/]+\.so\.\d[.\d]*(?=\0)", data):
        place = name.decode()
        for found in (root / base / directory / Path(place).name for base in ("lib", "usr/lib")):
            if found.exists():
                place = place.lstrip("/") if "/" in place else f"lib/{directory}/{place}"
                if archive.file(place, found.read_bytes(), 0o755):
                    _add_libraries(archive, found, root, directory)
                break


def _add_modules(archive: Archive, tree: Path, names: Sequence[str]) -> None:
    """The modules and all that they depend on, uncompressed, with the index that modprobe reads."""
    paths = {_module_name(path): path for path in tree.rglob("*.ko*")}
    depends: dict[str, list[str]] = {}

    def visit(name: str) -> None:
        if name not in depends:
            if name not in paths:
                missing(f"the kernel package in {tree} has no module {name}")
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

    for name in names:
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

    def file(self, name: str, data: bytes, mode: int = 0o644) -> bool:
        """Whether there was none of this name yet."""
        new = name not in self._names
        if new:
            self._directory(os.path.dirname(name))
            self._node(name, 0o100000 | mode, data)
        return new

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


def _module_name(path: Path) -> str:
    return path.name.split(".")[0].replace("-", "_")


def _module_data(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _uncompressed(kernel: Path) -> bytes:
    """The ELF kernel inside a bzImage. QEMU boots it directly (PVH); to unpack it under tcg takes seconds."""
    data = kernel.read_bytes()
    if data[0x202:0x206] != b"HdrS":
        return data  # what other architectures have, QEMU boots as it is
    start = data.find(b"\xfd7zXZ\0")
    if start < 0:
        missing(f"{kernel.name} is not packed with xz")
    return lzma.LZMADecompressor().decompress(data[start:])
