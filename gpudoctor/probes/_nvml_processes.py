"""Who holds memory on a GPU: NVML's three lists joined with /proc.

NVML gives pids of the host. In a container with its own pid namespace such a number is nobody's, or, worse, somebody
else's: there a process only counts as found when it has the NVIDIA driver mapped.
"""

from __future__ import annotations

import os

from msgspec.structs import replace

from gpudoctor.host import Host, HostError
from gpudoctor.host.marker import calling
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.gpus import GpuProcess
from gpudoctor.probes import _nvml_values as values
from gpudoctor.probes._nvml_errors import SOURCE, NvmlProblem
from gpudoctor.probes._nvml_fields import call, newest
from gpudoctor.probes._nvml_library import Device
from gpudoctor.probes._processes import in_first_namespace
from gpudoctor.probes._stalled import Stalled

_PROC = "/proc"
_LISTS = (
    ("compute", "nvmlDeviceGetComputeRunningProcesses"),
    ("graphics", "nvmlDeviceGetGraphicsRunningProcesses"),
    ("mps", "nvmlDeviceGetMPSComputeRunningProcesses"),
)
_MAX_PROCESSES = 1024
_MAX_ANCESTORS = 64
_DRIVER_MARKS = (b"/dev/nvidia", b"libcuda.so", b"libnvidia")


def list_processes(gpu: Device, owners: Owners) -> Fact[tuple[GpuProcess, ...]]:
    """Every process once a GPU; the list is absent only where none of the three could be had."""
    found: dict[int, GpuProcess] = {}
    failure: NvmlProblem | None = None
    answered = False
    for kind, function in _LISTS:
        try:
            entries = newest(call(f"{function}_v3", mark=function), call(f"{function}_v2", mark=function))(gpu)
        except NvmlProblem as error:
            failure = failure or error
            continue
        answered = True
        for pid, used in _entries(entries):
            if pid not in found and len(found) < _MAX_PROCESSES:
                found[pid] = owners.describe(pid, kind, used)
    if failure is not None and not answered:
        return failure.fact()
    return known(tuple(found.values()), SOURCE)


def _entries(listed: object) -> list[tuple[int, Fact[int]]]:
    entries: list[tuple[int, Fact[int]]] = []
    for entry in listed if isinstance(listed, list) else []:
        try:
            pid = values.count(getattr(entry, "pid", None))
        except ValueError:
            continue
        entries.append((pid, _used(getattr(entry, "usedGpuMemory", None))))
    return entries


def _used(value: object) -> Fact[int]:
    try:
        return known(values.count(value), SOURCE)
    except ValueError:
        return absent("not_supported", "the driver does not tell the memory of this process", SOURCE)


class Owners:
    """Looks processes up in /proc, each once."""

    def __init__(self, host: Host, stalled: Stalled) -> None:
        self._host = host
        self._stalled = stalled
        self._seen: dict[int, dict[str, Fact[object]]] = {}
        self._host_namespace = in_first_namespace(host, "pid") is True
        self._own_uid = self._uid("self") or str(os.getuid())
        self._ancestors: set[int] | None = None

    def describe(self, pid: int, kind: str, used: Fact[int]) -> GpuProcess:
        """The process with everything that /proc says of it."""
        if pid not in self._seen:
            self._seen[pid] = self._look_up(pid)
        return replace(GpuProcess(pid=pid, kind=kind, used_bytes=used), **self._seen[pid])

    def _look_up(self, pid: int) -> dict[str, Fact[object]]:
        state = self._state(pid)
        if state and not self._host_namespace and not self._uses_driver(pid):
            state = ""
        if not state:
            return self._unseen()
        return {
            "visible": known(True, _PROC),
            "state": known(state, _PROC),
            "name": self._name(pid),
            "owner": self._owner(pid),
            "ancestor_of_us": known(pid in self._our_ancestors(), _PROC),
        }

    def _unseen(self) -> dict[str, Fact[object]]:
        if self._host_namespace:
            ended: Fact[object] = absent("not_applicable", "the process has ended", _PROC)
            state: Fact[object] = known("gone", _PROC)
        else:
            ended = absent("not_supported", "the process is in another pid namespace or has ended", _PROC)
            state = ended
        return {"visible": known(False, _PROC), "state": state, "name": ended, "owner": ended, "ancestor_of_us": ended}

    def _read(self, path: str) -> bytes:
        """The start of a file; a kernel that does not answer for one process costs that file only."""
        mark = f"read {path}"
        if self._stalled.covers(mark, ""):
            return b""
        calling(mark)
        try:
            return self._host.read(path, 1 << 18)
        except HostError:
            return b""
        finally:
            calling("")

    def _stat(self, pid: int | str) -> list[bytes]:
        """/proc/PID/stat from the state on; the name before it may hold spaces and brackets."""
        return self._read(f"{_PROC}/{pid}/stat").rpartition(b")")[2].split()

    def _state(self, pid: int) -> str:
        stat = self._stat(pid)
        return stat[0].decode("ascii", "replace")[:1] if stat else ""

    def _uses_driver(self, pid: int) -> bool:
        maps = self._read(f"{_PROC}/{pid}/maps")
        return any(mark in maps for mark in _DRIVER_MARKS)

    def _name(self, pid: int) -> Fact[object]:
        """The program's name without its folder: a command line may hold secrets."""
        program = self._read(f"{_PROC}/{pid}/cmdline").split(b"\0", 1)[0].split(b" ", 1)[0].rpartition(b"/")[2]
        name = values.text(program or self._read(f"{_PROC}/{pid}/comm"))
        return known(name, _PROC) if name else absent("no_permission", "", _PROC)

    def _uid(self, pid: int | str) -> str:
        for line in self._read(f"{_PROC}/{pid}/status").splitlines():
            if line.startswith(b"Uid:"):
                uids = line.split()
                return uids[1].decode("ascii", "replace") if len(uids) > 1 else ""
        return ""

    def _owner(self, pid: int) -> Fact[object]:
        uid = self._uid(pid)
        if not uid:
            return absent("no_permission", "", _PROC)
        if uid == self._own_uid:
            return known("self", _PROC)
        return known("root" if uid == "0" else "other", _PROC)

    def _our_ancestors(self) -> set[int]:
        if self._ancestors is None:
            self._ancestors = set()
            pid = os.getpid()
            while pid > 1 and len(self._ancestors) < _MAX_ANCESTORS:
                self._ancestors.add(pid)
                stat = self._stat(pid)
                pid = int(stat[1]) if len(stat) > 1 and stat[1].isdigit() else 0
        return self._ancestors
