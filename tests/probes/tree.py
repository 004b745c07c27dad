"""A machine as a folder of small files, and the host that reads it."""

from __future__ import annotations

import os
from pathlib import Path

from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request

GPU_CLASS = "0x030000"
BRIDGE_CLASS = "0x060400"
REQUEST = Request()


class Tree:
    """Files below `root`; every path is given as the machine itself would name it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def host(self, **environ: str) -> LocalHost:
        return LocalHost(environ={"PATH": os.environ["PATH"], **environ}, root=str(self.root))

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def file(self, path: str, content: str | bytes = "") -> Path:
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def folder(self, path: str) -> None:
        self.at(path).mkdir(parents=True, exist_ok=True)

    def link(self, path: str, target: str) -> None:
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def pci(self, path: str, files: dict[str, str | bytes]) -> str:
        """A device at `pci0000:00/0000:00:01.0/...` below /sys/devices, linked as the bus lists it."""
        address = path.rsplit("/", 1)[-1]
        for name, content in files.items():
            self.file(f"/sys/devices/{path}/{name}", content)
        self.link(f"/sys/bus/pci/devices/{address}", f"../../../devices/{path}")
        return address

    def bridge(self, path: str, config: bytes = b"", **files: str) -> str:
        parts: dict[str, str | bytes] = {"vendor": "0x1022\n", "class": BRIDGE_CLASS + "\n", "config": config}
        return self.pci(path, {**parts, **files})

    def gpu(self, path: str, **files: str) -> str:
        parts: dict[str, str | bytes] = {"vendor": "0x10de\n", "class": GPU_CLASS + "\n", "device": "0x2684\n"}
        return self.pci(path, {**parts, **files})


def config_space(control: int | None, size: int = 4096) -> bytes:
    """Configuration space of a bridge: an AER capability, then ACS with this control word (None: without ACS)."""
    space = bytearray(4096)
    space[0:4] = bytes.fromhex("22108314")
    following = 0x2A0 if control is not None else 0
    space[0x100:0x104] = (0x0001 | 2 << 16 | following << 20).to_bytes(4, "little")
    if control is not None:
        space[0x2A0:0x2A4] = (0x000D | 1 << 16).to_bytes(4, "little")
        space[0x2A6:0x2A8] = control.to_bytes(2, "little")
    return bytes(space[:size])
