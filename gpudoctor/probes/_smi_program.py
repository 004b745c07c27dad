"""The nvidia-smi program: the cross-check of NVML, and its stand-in where NVML is not to be had.

Every call opens all GPUs anew, so only what the cross-check needs is asked for, all at once and with one deadline.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NoReturn, TypeVar

from gpudoctor.host import Command, Host, HostError
from gpudoctor.host.probe import Request
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.gpus import Gpu
from gpudoctor.model.facts.nvidia_smi import NvidiaSmi, SmiP2p, SmiPair
from gpudoctor.readers.home import shown
from gpudoctor.readers.nvidia_smi_query import SOURCE, Query, read_query
from gpudoctor.readers.p2p_matrix import CAPABILITIES, P2pMatrix, read_p2p_matrix
from gpudoctor.readers.topo_matrix import TopoMatrix, read_topo_matrix

T = TypeVar("T")

TOOL = "nvidia-smi"

_DEADLINE_S = 10.0  # a GPU that no one keeps open takes a second or two to start
_MATRIX = ("topo", "-m")
_P2P_LETTERS = ("r", "w")
_OLD_FIELDS = ("index", "name", "uuid", "pci.bus_id", "driver_version", "memory.total", "memory.used", "memory.free")
_FIELDS = (
    *_OLD_FIELDS,
    "compute_cap",
    "compute_mode",
    "persistence_mode",
    "mig.mode.current",
    "pcie.link.gen.current",
    "pcie.link.gen.max",
    "pcie.link.width.current",
    "pcie.link.width.max",
)
_UNKNOWN_FIELD = "is not a valid field to query"
_NO_DEVICES = "No devices were found"
_MAX_ERROR_LINES = 3
_MAX_ERROR = 300

Answer = Command | HostError


def collect(host: Host, _request: Request) -> NvidiaSmi:
    """Ask for the GPUs and, where there are several, for the matrices."""
    matrices = () if _gpus_on_the_bus(host) == 1 else (_MATRIX, *(("topo", "-p2p", letter) for letter in _P2P_LETTERS))
    query, *tables = _run_all(host, [_query(_FIELDS), *matrices])
    if isinstance(query, Command) and _UNKNOWN_FIELD in query.stdout + query.stderr:
        (query,) = _run_all(host, [_query(_OLD_FIELDS)])
    if isinstance(query, HostError):
        return _unavailable(host, query)
    found = read_query(query.stdout)
    error = _message(query) if query.exit_code or found is None else ""
    alone: Fact[NoReturn] = absent("not_applicable", "there is one GPU", SOURCE)
    return NvidiaSmi(
        path=_path(host),
        error=known(error, SOURCE),
        driver_version=_driver_version(found, error),
        gpus=_gpus(found, error),
        topology=_topology(tables[0]) if tables else alone,
        p2p=_p2p(tables[1:]) if tables else alone,
        cpu_affinity=_cpu_affinity(tables[0]) if tables else alone,
    )


def _query(fields: Sequence[str]) -> tuple[str, ...]:
    return (f"--query-gpu={','.join(fields)}", "--format=csv")


def _gpus_on_the_bus(host: Host) -> int | None:
    """As the kernel module lists them; None where it does not."""
    try:
        return len(host.list_dir("/proc/driver/nvidia/gpus"))
    except HostError:
        return None


def _run_all(host: Host, calls: Sequence[tuple[str, ...]]) -> list[Answer]:
    """All calls side by side, answers in their order."""
    answers: list[Answer] = [HostError("timeout", f"{TOOL} was not started") for _ in calls]

    def run(number: int, arguments: tuple[str, ...]) -> None:
        try:
            answers[number] = host.run((TOOL, *arguments), timeout_s=_DEADLINE_S)
        except HostError as error:
            answers[number] = error

    threads = [threading.Thread(target=run, args=(number, call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _unavailable(host: Host, error: HostError) -> NvidiaSmi:
    gone: Fact[str] = error.fact(SOURCE)
    path = gone if error.reason == "tool_missing" else _path(host)
    return NvidiaSmi(
        path=path,
        error=gone,
        driver_version=gone,
        gpus=error.fact(SOURCE),
        topology=error.fact(SOURCE),
        p2p=error.fact(SOURCE),
        cpu_affinity=error.fact(SOURCE),
    )


def _path(host: Host) -> Fact[str]:
    for folder in host.environ.get("PATH", "").split(":"):
        if folder.startswith("/") and host.unrooted.may_run(f"{folder}/{TOOL}"):
            return known(shown(f"{folder}/{TOOL}", host.environ.get("HOME", "")), "PATH")
    return absent("failed", f"{TOOL} was found by no absolute folder of PATH", "PATH")


def _message(answer: Command) -> str:
    """What the program says instead of an answer, on one line."""
    lines = (line.strip() for line in (answer.stdout + "\n" + answer.stderr).splitlines())
    rows = read_query(answer.stdout) is not None
    spoken = [line for line in lines if line and not (rows and "," in line)][:_MAX_ERROR_LINES]
    return "; ".join(spoken)[:_MAX_ERROR] or f"exit status {answer.exit_code}"


def _driver_version(found: Query | None, error: str) -> Fact[str]:
    if found is None or found.driver_version is None:
        return absent("failed", error, SOURCE)
    return known(found.driver_version, SOURCE)


def _gpus(found: Query | None, error: str) -> Fact[tuple[Gpu, ...]]:
    if found is not None and (found.gpus or not error):
        return known(found.gpus, SOURCE)
    return known((), SOURCE) if error.startswith(_NO_DEVICES) else absent("failed", error, SOURCE)


def _parsed(answer: Answer, parse: Callable[[str], T | None]) -> Fact[T]:
    """`parse` returns None for output that holds no table; in containers, on WSL and with vGPU there may be none."""
    if isinstance(answer, HostError):
        return answer.fact(SOURCE)
    value = parse(answer.stdout)
    return known(value, SOURCE) if value is not None else absent("not_supported", _message(answer), SOURCE)


def _topology(answer: Answer) -> Fact[tuple[SmiPair, ...]]:
    matrix = _parsed(answer, read_topo_matrix)
    if isinstance(matrix.value, TopoMatrix):
        if matrix.value.pairs or not matrix.value.rejected_rows:
            return known(matrix.value.pairs, SOURCE)
        return absent("parse_error", "; ".join(matrix.value.rejected_rows)[:_MAX_ERROR], SOURCE)
    return Fact(absent=matrix.absent, detail=matrix.detail, source=SOURCE)


def _cpu_affinity(answer: Answer) -> Fact[tuple[str, ...]]:
    matrix = _parsed(answer, read_topo_matrix)
    if isinstance(matrix.value, TopoMatrix):
        told = [listed for listed in matrix.value.cpu_affinity if listed is not None]
        if len(told) == len(matrix.value.gpus):
            return known(tuple(told), SOURCE)
        return absent("not_supported", "the matrix does not tell it for every GPU", SOURCE)
    return Fact(absent=matrix.absent, detail=matrix.detail, source=SOURCE)


def _p2p(answers: Iterable[Answer]) -> Fact[tuple[SmiP2p, ...]]:
    """Of all capabilities for which there is an answer; absent where there is none."""
    tables = [
        _parsed(answer, partial(read_p2p_matrix, capability=CAPABILITIES[letter]))
        for letter, answer in zip(_P2P_LETTERS, answers, strict=True)
    ]
    matrices = [table.value for table in tables if isinstance(table.value, P2pMatrix)]
    if not matrices:
        return Fact(absent=tables[0].absent, detail=tables[0].detail, source=SOURCE)
    return known(tuple(cell for matrix in matrices for cell in matrix.cells), SOURCE)
