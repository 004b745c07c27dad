"""Runs under the interpreter under examination: imports torch for real and tells what it finds.

Standard library only, Python 3.8 or newer. Says each phase before it begins, so that a hang or a crash has a place.
Makes no CUDA context and does nothing slow besides the import itself. Begins with all that describe.py tells, so that
one start of the interpreter is enough; the form of the answer is the same.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

MARK = "\x1egpudoctor"
MAX_TEXT = 2000
MAX_MAPS = 50

# Whatever torch and the packages that it imports print must not get between our lines.
channel = os.dup(1)
os.dup2(2, 1)


def say(*fields: object) -> None:
    texts = [str(field)[:MAX_TEXT] for field in fields]
    escaped = [t.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r") for t in texts]
    data = ("\n" + "\t".join([MARK, *escaped]) + "\n").encode("utf-8", "replace")
    while data:
        data = data[os.write(channel, data) :]


def one_line(text: object) -> str:
    return " ".join(str(text).split())


def ask(key: str, question: Callable[[], object]) -> None:
    """Say the answer, nothing behind the key for None; a torch that cannot answer one may answer the next."""
    try:
        value = question()
    except BaseException as error:  # noqa: BLE001 - it is a stranger's package
        say("trouble", key, f"{type(error).__name__}: {one_line(error)}")
        return
    say(key, *([] if value is None else value if isinstance(value, (list, tuple)) else [value]))


def import_torch() -> ModuleType | None:
    say("phase", "importing torch")
    try:
        import torch  # noqa: F401
    except BaseException as error:  # noqa: BLE001 - sys.exit() in a package is a failed import like any other
        say("import_error", type(error).__name__, one_line(error))
        return None
    say("imported")
    return sys.modules["torch"]


def libnccl_maps() -> list[str]:
    with open("/proc/self/maps", "rb") as file:
        lines = [line for line in file.read().splitlines() if b"libnccl" in line]
    return [line.decode("utf-8", "replace") for line in lines[:MAX_MAPS]]


def nccl_version(torch: ModuleType) -> object:
    if not hasattr(torch._C, "_nccl_version"):
        return None
    from torch.cuda import nccl

    version = nccl.version()
    return ".".join(str(part) for part in version) if isinstance(version, tuple) else version


def arch_list(torch: ModuleType) -> list[str] | None:
    # torch.cuda.get_arch_list() of older versions is empty where there is no GPU.
    flags = getattr(torch._C, "_cuda_getArchFlags", None)
    return None if flags is None else (flags() or "").split()


def ask_about_build(torch: ModuleType) -> None:
    ask("nccl_maps", libnccl_maps)
    ask("version", lambda: torch.__version__)
    ask("cuda_version", lambda: torch.version.cuda)
    ask("hip_version", lambda: torch.version.hip)
    ask("nccl_version", lambda: nccl_version(torch))
    ask("arch_list", lambda: arch_list(torch))
    ask("nccl_available", lambda: int(torch.distributed.is_available() and torch.distributed.is_nccl_available()))
    ask("gloo_available", lambda: int(torch.distributed.is_available() and torch.distributed.is_gloo_available()))


def ask_about_start(torch: ModuleType) -> None:
    """What the import itself has done; asked before we ask anything that could start CUDA."""
    ask("visible_devices", lambda: os.environ.get("CUDA_VISIBLE_DEVICES"))
    ask("cuda_initialized", lambda: int(torch.cuda.is_initialized()))


def ask_cuda(torch: ModuleType) -> None:
    import warnings

    say("phase", "asking torch.cuda")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    say("cuda_available", int(available))
    ask("device_count", torch.cuda.device_count)
    if available:
        return
    if caught:
        say("cuda_error", one_line(caught[-1].message))
        return
    try:
        torch.cuda.init()  # there is no device to make a context on: this only words the reason
    except BaseException as error:  # noqa: BLE001 - it is a stranger's package
        say("cuda_error", one_line(error))


def describe_first() -> None:
    say("phase", "listing packages")
    own_folder = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, own_folder)  # it is not there under PYTHONSAFEPATH
    describe = __import__("describe")
    del sys.modules["describe"]  # the workload may have one of its own
    describe.leave_own_folder()
    describe.describe()
    describe.send(channel)


def main() -> None:
    ask("described", describe_first)
    torch = import_torch()
    if torch is not None:
        ask_about_start(torch)
        ask_about_build(torch)
        ask("asked_cuda", lambda: ask_cuda(torch))
    say("done")
    # Without the interpreter's own shutdown, which costs a tenth of the import and can hang.
    os._exit(0)


main()
