"""Writes the files of a simulated machine below a folder, named by their absolute paths on that machine."""

from __future__ import annotations

import os
from pathlib import Path


class Tree:
    """A root folder: `write("/proc/version", ...)` makes `ROOT/proc/version`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def folder(self, path: str) -> None:
        self.at(path).mkdir(parents=True, exist_ok=True)

    def write(self, path: str, content: str | bytes | int) -> None:
        """A file; text gets its final newline."""
        target = self.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            text = str(content)
            target.write_text(text if not text or text.endswith("\n") else text + "\n", encoding="utf-8")

    def link(self, path: str, to: str) -> None:
        """A relative symbolic link, as those of /sys are, so that it resolves below any root."""
        target = self.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.path.relpath(self.at(to), target.parent))

    def raw_link(self, path: str, text: str) -> None:
        """A link whose text is all there is to it (/proc/self/ns/pid)."""
        target = self.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(text)
