"""Where the dynamic loader finds a library, by its own rules, without loading anything.

Source: ld.so(8) and glibc's elf/dl-load.c. Left out, because no NCCL is ever there: glibc-hwcaps folders, $PLATFORM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from gpudoctor.host.access import Host, HostError
from gpudoctor.readers.elf import Dynamic, ElfError, ElfKind, read_dynamic, read_kind
from gpudoctor.readers.ld_cache import MAX_BYTES, cached_libraries

_MULTIARCH = {62: "x86_64-linux-gnu", 183: "aarch64-linux-gnu"}


class Loaded(Struct, frozen=True):
    """A library or program that asks for others: its folder is what $ORIGIN stands for."""

    folder: str
    dynamic: Dynamic


class Found(Struct, frozen=True):
    """`step` is ld_preload, rpath, ld_library_path, runpath, cache or default: the rule that led there."""

    path: str
    step: str


class Loader(Struct, frozen=True):
    """The loader of one process. `files` is where it runs; `system` has the folders of the system."""

    files: Host
    system: Host
    env: Mapping[str, str]

    def open(self, path: str) -> Loaded:
        """Raises HostError and ElfError."""
        dynamic = read_dynamic(lambda offset, size: self.files.read_at(path, offset, size))
        return Loaded(str(PurePosixPath(path).parent), dynamic)

    def find(self, name: str, needed_by: Loaded, program: Loaded | None = None) -> Found | None:
        """The file for a bare library name; None where the loader would give up."""
        for found in self._candidates(name, needed_by, program):
            files = self.system if found.step in {"cache", "default"} else self.files
            if _kind(files, found.path) == needed_by.dynamic.kind:
                return found
        return None

    def _candidates(self, name: str, needed_by: Loaded, program: Loaded | None) -> Iterator[Found]:
        yield from self._preloaded(name)
        # DT_RUNPATH of the library makes every DT_RPATH void, also that of the program.
        if not needed_by.dynamic.runpath:
            for loaded in (needed_by, program):
                if loaded is not None:
                    yield from _in(_expand(loaded, loaded.dynamic.rpath), name, "rpath")
        yield from _in(library_path(self.env), name, "ld_library_path")
        yield from _in(_expand(needed_by, needed_by.dynamic.runpath), name, "runpath")
        yield from self._system(name, needed_by.dynamic.kind)

    def _preloaded(self, name: str) -> Iterator[Found]:
        """A preloaded library stands for every library of its name: its file's name, or its DT_SONAME."""
        for item in self.env.get("LD_PRELOAD", "").replace(":", " ").split():
            folders = [""] if item.startswith("/") else library_path(self.env) if "/" not in item else []
            for path in (f"{folder}/{item}" if folder else item for folder in folders):
                if PurePosixPath(path).name == name or self._soname(path) == name:
                    yield Found(path, "ld_preload")

    def _soname(self, path: str) -> str:
        try:
            return self.open(path).dynamic.soname
        except (HostError, ElfError):
            return ""

    def _system(self, name: str, kind: ElfKind) -> Iterator[Found]:
        for cached, path in self.cached(name):
            if cached == name:
                yield Found(path, "cache")
        multiarch = _MULTIARCH.get(kind.machine)
        folders = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"]
        if multiarch:
            folders = [f"/lib/{multiarch}", f"/usr/lib/{multiarch}", *folders]
        yield from _in(folders, name, "default")

    def cached(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Name and path of the libraries in /etc/ld.so.cache whose names start so."""
        try:
            return cached_libraries(self.system.read("/etc/ld.so.cache", MAX_BYTES), prefix)
        except HostError:
            return ()


def library_path(env: Mapping[str, str]) -> list[str]:
    """Absolute folders of LD_LIBRARY_PATH. A relative or empty one means the working folder of whoever starts."""
    folders = env.get("LD_LIBRARY_PATH", "").replace(";", ":").split(":")
    return [folder for folder in dict.fromkeys(folders) if folder.startswith("/")]


def _expand(loaded: Loaded, folders: Sequence[str]) -> list[str]:
    expanded: list[str] = []
    for folder in folders:
        text = folder.replace("${ORIGIN}", loaded.folder).replace("$ORIGIN", loaded.folder)
        libs = ("lib64", "lib") if "LIB" in text else ("",)
        expanded += [text.replace("${LIB}", lib).replace("$LIB", lib) for lib in libs]
    return [folder for folder in expanded if folder.startswith("/")]


def _in(folders: Sequence[str], name: str, step: str) -> Iterator[Found]:
    for folder in folders:
        yield Found(f"{folder.rstrip('/')}/{name}", step)


def _kind(files: Host, path: str) -> ElfKind | None:
    """None for what is no library: the loader passes it over as it does one for another machine."""
    try:
        return read_kind(lambda offset, size: files.read_at(path, offset, size))
    except (HostError, ElfError):
        return None
