"""Runs under the interpreter under examination and tells what it is and what is installed. Imports none of it.

Standard library only, Python 3.8 or newer. Answers on standard output: one line a value, the mark first, fields
separated by tabs, with backslash, tab and newline escaped. import_torch.py tells all this too, before it imports.
"""

from __future__ import annotations

import os
import sys

MARK = "\x1egpudoctor"
MAX_TEXT_BYTES = 1 << 18
MAX_DISTRIBUTIONS = 5000

answer: list[str] = []


def say(*fields: str) -> None:
    escaped = [f.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r") for f in fields]
    answer.append("\t".join([MARK, *escaped]))


def send(descriptor: int) -> None:
    # Straight to the descriptor: what start-up files have printed, and how they set up sys.stdout, does not matter.
    data = ("\n" + "\n".join(answer) + "\n").encode("utf-8", "surrogateescape")
    while data:
        data = data[os.write(descriptor, data) :]


def read(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(MAX_TEXT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def field(headers: str, name: str) -> str:
    for line in headers.splitlines():
        if line.lower().startswith(name):
            return line[len(name) :].strip()
    return ""


def distribution(folder: str, entry: str) -> tuple[str, str]:
    """Name and version, from the name of a .dist-info or .egg-info where it has both, else from its metadata."""
    stem, _, kind = entry.rpartition(".")
    name, _, version = stem.partition("-")
    if kind == "egg-info":
        version = version.partition("-py")[0]
    if name and version and "-" not in version:
        return name, version
    path = os.path.join(folder, entry)
    headers = ""
    for candidate in (os.path.join(path, "METADATA"), os.path.join(path, "PKG-INFO"), path):
        if os.path.isfile(candidate):
            headers = read(candidate)
            break
    return field(headers, "name:") or name, field(headers, "version:") or version


def say_distributions(folder: str) -> None:
    entries = [entry for entry in names_in(folder) if entry.endswith((".dist-info", ".egg-info"))]
    for entry in entries[:MAX_DISTRIBUTIONS]:
        name, version = distribution(folder, entry)
        say("distribution", name, version, folder)
        if "nccl" in name.lower():
            say_claims(folder, entry, name, version)
        elif name.lower() == "torch":
            say_torch_requirements(folder, entry)


def say_claims(folder: str, entry: str, name: str, version: str) -> None:
    """The libnccl files that a distribution says are its own."""
    for line in read(os.path.join(folder, entry, "RECORD")).splitlines():
        path = line.split(",", 1)[0]
        if "libnccl.so" in path:
            say("claim", name, version, os.path.normpath(os.path.join(folder, path)))


def say_torch_requirements(folder: str, entry: str) -> None:
    for line in read(os.path.join(folder, entry, "METADATA")).splitlines():
        if not line:
            break  # the headers end; the description follows
        if line.startswith("Requires-Dist:") and "nccl" in line:
            say("torch_requires", folder, line.partition(":")[2].strip())


def find_torch() -> tuple[str, str]:
    """Folder of the torch that an import would take, and its __init__.py; the import system is asked, not torch."""
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec("torch", None, None)
        except Exception:  # noqa: BLE001 - a finder of an editable install is anybody's code
            continue
        if spec is not None:
            folders = list(spec.submodule_search_locations or [])
            return (folders[0] if folders else ""), spec.origin or ""
    return "", ""


def leave_own_folder() -> None:
    """The folder of this script is on sys.path for us alone: the workload would not have it."""
    own_folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry != own_folder]


def describe() -> None:
    say("version", ".".join(str(number) for number in sys.version_info[:3]))
    say("prefix", sys.prefix, sys.base_prefix)
    say("executable", os.path.realpath("/proc/self/exe"))
    for entry in dict.fromkeys(os.path.abspath(entry) for entry in sys.path):
        say("path", entry)
        say_distributions(entry)
    folder, origin = find_torch()
    if folder:
        say("torch", folder, origin)
        say("torch_version_py", read(os.path.join(folder, "version.py")))


if __name__ == "__main__":
    leave_own_folder()
    describe()
    send(1)
