"""The real import of torch in the target, once, and what torch says about itself and its CUDA devices."""

from __future__ import annotations

import signal
from pathlib import PurePosixPath

import msgspec
from msgspec import Struct

from gpudoctor.host.access import Command, Host, HostError
from gpudoctor.host.probe import Request
from gpudoctor.lazy_pattern import lazy_pattern
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.torch import Torch
from gpudoctor.probes._interpreter import Interpreter, chosen, from_answer, no_python, run_script
from gpudoctor.readers.home import shown
from gpudoctor.readers.process_maps import mapped_files
from gpudoctor.readers.target_answer import Answer, last, parse
from gpudoctor.readers.torch_version import decode_nccl

_DEADLINE_S = 100.0  # a cold import from a network file system takes a minute
_MAX_ERROR = 500
_MAPS = "/proc/self/maps after import torch"
_NCCL = lazy_pattern(r"libnccl(?!-(net|tuner|profiler|env|gin)|_)")  # the library, renamed or not, but no plugin
_SOURCE = "import torch under the target interpreter"
_FIELDS = (
    "imported", "import_error", "import_error_type", "arch_list", "nccl_linked_version", "nccl_mapped_path",
    "cuda_available", "cuda_error", "device_count", "gloo_available", "nccl_available", "cuda_initialized",
    "visible_devices",
)  # fmt: skip


def absent_facts(section: Torch, error: HostError) -> Torch:
    """The section with every fact of the import absent for this reason."""
    return msgspec.structs.replace(section, **{field: error.fact(_SOURCE) for field in _FIELDS})


def add_facts(section: Torch, said: Said) -> Torch:
    """The section with the facts of the import."""
    imported, error, error_type = _outcome(said)
    return msgspec.structs.replace(
        section,
        imported=imported,
        import_error=error,
        import_error_type=error_type,
        arch_list=_arch_list(said, section),
        nccl_linked_version=_linked_version(said),
        nccl_mapped_path=_mapped_path(said),
        cuda_available=said.flag("cuda_available"),
        cuda_error=_cuda_error(said),
        device_count=_device_count(said),
        gloo_available=said.flag("gloo_available"),
        nccl_available=said.flag("nccl_available"),
        cuda_initialized=said.flag("cuda_initialized"),
        visible_devices=_visible_devices(said),
    )


class Said(Struct, frozen=True):
    """What the script said, and why it said no more than that."""

    interpreter: Interpreter
    answer: Answer
    end: HostError
    home: str
    crash: str = ""  # SIGSEGV, or "exit status 3": how the interpreter ended in the middle

    def text(self, key: str) -> str | None:
        value = last(self.answer, key)
        return None if value is None else shown(value, self.home)[:_MAX_ERROR]

    def missing(self, key: str) -> HostError:
        """Why there is no answer to a question."""
        for fields in self.answer.get("trouble", []):
            if len(fields) == 2 and fields[0] in {key, "asked_cuda"}:
                return HostError("failed", shown(fields[1], self.home)[:_MAX_ERROR])
        return self.end

    def flag(self, key: str) -> Fact[bool]:
        value = last(self.answer, key)
        return known(value == "1", _SOURCE) if value in {"0", "1"} else self.missing(key).fact(_SOURCE)


def run_import(host: Host, request: Request) -> Said:
    """Import torch in the target. Raises HostError where the interpreter itself does not work."""
    target = chosen(host, request)
    home = request.home(host)
    try:
        command = run_script(host, request, target, "import_torch.py", _DEADLINE_S)
    except HostError as error:
        answer = parse(error.stdout)
        interpreter = from_answer(target, answer)
        if interpreter is None:
            raise
        end = HostError(error.reason, shown(f"{_phase(answer)}: {error.detail}", home))
        return Said(interpreter, answer, end, home)
    answer = parse(command.stdout)
    interpreter = from_answer(target, answer)
    if interpreter is None:
        raise no_python(target, command)
    if "import_error" in answer:
        return Said(interpreter, answer, HostError("failed", "torch could not be imported"), home)
    if "done" in answer:
        return Said(interpreter, answer, HostError("failed", "this torch does not say"), home)
    crash = _crash(command)
    end = HostError("failed", f"{_phase(answer)}: the interpreter ended with {crash}")
    return Said(interpreter, answer, end, home, crash)


def _phase(answer: Answer) -> str:
    return last(answer, "phase") or "starting the interpreter"


def _crash(command: Command) -> str:
    if command.exit_code >= 0:
        return f"exit status {command.exit_code}"
    try:
        return signal.Signals(-command.exit_code).name
    except ValueError:
        return f"signal {-command.exit_code}"


def _outcome(said: Said) -> tuple[Fact[bool], Fact[str], Fact[str]]:
    """imported, import_error, import_error_type. A crash while importing is a failed import, a hang is not known."""
    if "imported" in said.answer:
        return known(True, _SOURCE), known("", _SOURCE), known("", _SOURCE)
    if "import_error" in said.answer:
        kind = said.text("import_error") or ""
        message = shown(last(said.answer, "import_error", 1) or "", said.home)
        text = f"{kind}: {message}" if message else kind
        return known(False, _SOURCE), known(text[:_MAX_ERROR], _SOURCE), known(kind, _SOURCE)
    if said.crash:
        return known(False, _SOURCE), known(said.end.detail, _SOURCE), known(said.crash, _SOURCE)
    return said.end.fact(_SOURCE), said.end.fact(_SOURCE), said.end.fact(_SOURCE)


def _arch_list(said: Said, section: Torch) -> Fact[tuple[str, ...]]:
    lines = said.answer.get("arch_list")
    if not lines:
        return said.missing("arch_list").fact(_SOURCE)
    if not lines[-1] and section.cuda_build.or_none() is not True:
        return absent("not_applicable", "torch is built without CUDA", _SOURCE)
    return known(lines[-1], _SOURCE)


def _linked_version(said: Said) -> Fact[str]:
    if "nccl_version" not in said.answer:
        return said.missing("nccl_version").fact(_SOURCE)
    version = last(said.answer, "nccl_version")
    if version is None:
        return absent("not_applicable", "torch is built without NCCL", _SOURCE)
    return known(decode_nccl(version), "torch.cuda.nccl.version()")


def _mapped_path(said: Said) -> Fact[str]:
    lines = said.answer.get("nccl_maps")
    if not lines:
        return said.missing("nccl_maps").fact(_SOURCE)
    paths = [file.path for file in mapped_files("\n".join(lines[-1])) if _NCCL.match(PurePosixPath(file.path).name)]
    if not paths:
        return absent("not_applicable", "no libnccl is mapped after the import", _MAPS)
    return known(shown(paths[0], said.home), _MAPS)


def _cuda_error(said: Said) -> Fact[str]:
    text = said.text("cuda_error")
    if text is not None:
        return known(text, "torch.cuda")
    if last(said.answer, "cuda_available") == "1":
        return absent("not_applicable", "CUDA is available", "torch.cuda")
    return said.missing("cuda_error").fact(_SOURCE)


def _device_count(said: Said) -> Fact[int]:
    value = last(said.answer, "device_count")
    if value is None or not value.isascii() or not value.isdigit():
        return said.missing("device_count").fact(_SOURCE)
    return known(int(value[:9]), "torch.cuda.device_count()")


def _visible_devices(said: Said) -> Fact[str]:
    if "visible_devices" not in said.answer:
        return said.missing("visible_devices").fact(_SOURCE)
    value = said.text("visible_devices")
    if value is None:
        return absent("not_applicable", "CUDA_VISIBLE_DEVICES is not set", "os.environ after import torch")
    return known(value, "os.environ after import torch")
