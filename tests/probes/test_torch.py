"""torch of the target: its files, and an import that may work, fail, crash, hang or talk too much."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from gpudoctor.host.probe import Request
from gpudoctor.model.facts.torch import Torch
from gpudoctor.probes.torch import PROBE, collect
from tests.host.examination import examination
from tests.probes.targets import CPU_VERSION_PY, CUDA_VERSION_PY, WORKING_TORCH, FakeTarget

PIN = 'nvidia-nccl-cu12==2.27.5; platform_system == "Linux" and platform_machine == "x86_64"'


def assert_files_were_read(section: Torch) -> None:
    assert section.installed.or_none() is True
    assert section.version.or_none() == "2.9.1+cu128"
    assert section.cuda_version.or_none() == "12.8"
    assert section.cuda_build.or_none() is True
    assert section.nccl_pin.or_none() == "2.27.5"
    assert section.nccl_pin_distribution.or_none() == "nvidia-nccl-cu12"


def test_quick_reads_the_files_and_imports_nothing(target: FakeTarget) -> None:
    target.torch("open(__file__ + '.imported', 'w')", requires=PIN)
    section = collect(target.host(), target.request(quick=True))
    assert_files_were_read(section)
    assert section.path.or_none() == "~/" + str((target.site / "torch").relative_to(target.home))
    assert section.hip_version.absent == "not_applicable"
    assert section.imported.absent == "not_provided"
    assert section.device_count.detail == "left out by --quick"
    assert not list(target.site.rglob("*.imported"))


def test_an_import_that_works_brings_what_torch_says(target: FakeTarget) -> None:
    target.torch(requires=PIN)
    section = collect(target.host(), target.request())
    assert_files_were_read(section)
    assert section.imported.or_none() is True
    assert section.import_error.or_none() == ""
    assert section.arch_list.or_none() == ("sm_80", "sm_90", "compute_90")
    assert section.cuda_available.or_none() is True
    assert section.cuda_error.absent == "not_applicable"
    assert section.device_count.or_none() == 4
    assert section.nccl_available.or_none() is True
    assert section.gloo_available.or_none() is False
    assert section.nccl_linked_version.absent == "not_applicable"  # without _nccl_version: built without NCCL
    assert section.nccl_mapped_path.absent == "not_applicable"


def test_the_workloads_environment_reaches_torch(target: FakeTarget) -> None:
    code = WORKING_TORCH + "import os\ncuda.device_count = lambda: len(os.environ['CUDA_VISIBLE_DEVICES'].split(','))\n"
    target.torch(code)
    section = collect(target.host(CUDA_VISIBLE_DEVICES="0"), target.request(CUDA_VISIBLE_DEVICES="0,1,2"))
    assert section.device_count.or_none() == 3


def test_the_linked_nccl_version_is_decoded_from_tuple_and_number(target: FakeTarget) -> None:
    for answer, version in (("(2, 27, 5)", "2.27.5"), ("2708", "2.7.8"), ("22005", "2.20.5")):
        target.torch(
            WORKING_TORCH + "_C._nccl_version = lambda: 0\n__path__ = [__file__.rsplit('/', 1)[0]]\ndel cuda\n"
        )
        target.file("torch/cuda/__init__.py", "is_available = lambda: True\ndevice_count = lambda: 1\n")
        target.file("torch/cuda/nccl.py", f"def version(): return {answer}\n")
        assert collect(target.host(), target.request()).nccl_linked_version.or_none() == version


def test_the_reason_why_cuda_is_not_available_is_a_warning_or_an_exception(target: FakeTarget) -> None:
    warns = """
def _available():
    import warnings
    warnings.warn("CUDA initialization: The NVIDIA driver on your system is too old (found version 11040).")
    return False
cuda = _N(is_available=_available, device_count=lambda: 0)
"""
    target.torch(WORKING_TORCH + warns)
    section = collect(target.host(), target.request())
    assert section.cuda_available.or_none() is False
    assert "driver on your system is too old" in (section.cuda_error.or_none() or "")
    assert section.device_count.or_none() == 0

    raises = """
def _init():
    raise RuntimeError("No CUDA GPUs are available")
cuda = _N(is_available=lambda: False, device_count=lambda: 0, init=_init)
"""
    target.torch(WORKING_TORCH + raises)
    assert collect(target.host(), target.request()).cuda_error.or_none() == "No CUDA GPUs are available"


def test_an_import_error_is_a_finding_and_the_files_stay(target: FakeTarget) -> None:
    where = target.home / "venv" / "libtorch_cuda.so"
    target.torch(f"raise ImportError('{where}: undefined symbol:\\n  ncclCommRegister')", requires=PIN)
    section = collect(target.host(), target.request())
    assert_files_were_read(section)
    assert section.imported.or_none() is False
    assert section.import_error_type.or_none() == "ImportError"
    expected = "ImportError: ~/venv/libtorch_cuda.so: undefined symbol: ncclCommRegister"
    assert section.import_error.or_none() == expected
    assert section.cuda_available.absent == "failed"
    assert section.cuda_available.detail == "torch could not be imported"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import sys; sys.exit('go away')", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def f(): f()\nf()", "RecursionError"),
        ("this is no python", "SyntaxError"),
        ("raise type('Odd\\nName', (Exception,), {})('x' * 100000)", "Odd\nName"),
    ],
)
def test_whatever_an_import_raises_is_bounded_and_named(target: FakeTarget, code: str, kind: str) -> None:
    target.torch(code)
    section = collect(target.host(), target.request())
    assert section.imported.or_none() is False
    assert section.import_error_type.or_none() == kind
    assert len(section.import_error.or_none() or "") <= 500


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGILL", "SIGABRT", "SIGKILL"])
def test_a_crash_while_importing_is_a_failed_import_that_names_the_signal(target: FakeTarget, name: str) -> None:
    target.torch(f"import os; os.kill(os.getpid(), {int(signal.Signals[name])})", requires=PIN)
    section = collect(target.host(), target.request())
    assert_files_were_read(section)
    assert section.imported.or_none() is False
    assert section.import_error_type.or_none() == name
    assert section.import_error.or_none() == f"importing torch: the interpreter ended with {name}"
    assert section.device_count.absent == "failed"
    assert name in section.device_count.detail


def test_a_silent_exit_while_importing_is_a_failed_import(target: FakeTarget) -> None:
    target.torch("import os; os._exit(0)")
    section = collect(target.host(), target.request())
    assert section.imported.or_none() is False
    assert section.import_error_type.or_none() == "exit status 0"


def hanging(target: FakeTarget, code: str) -> Torch:
    """The probe with a deadline that leaves the import two seconds."""
    target.torch(code, requires=PIN)
    request = Request(python=str(target.python), deadline=time.monotonic() + 2.5)
    return collect(target.host(), request)


def test_a_hang_while_importing_names_the_phase_and_the_files_stay(target: FakeTarget) -> None:
    section = hanging(target, "import time; time.sleep(60)")
    assert_files_were_read(section)
    assert section.imported.absent == "timeout"
    assert section.imported.detail.startswith("importing torch: ~/venv/bin/python3 did not answer within")
    assert section.device_count.absent == "timeout"


def test_a_hang_in_cuda_names_that_phase_and_keeps_what_was_said_before(target: FakeTarget) -> None:
    section = hanging(target, WORKING_TORCH + "import time\ncuda.is_available = lambda: time.sleep(60)\n")
    assert section.imported.or_none() is True
    assert section.arch_list.or_none() == ("sm_80", "sm_90", "compute_90")
    assert section.cuda_available.absent == "timeout"
    assert section.cuda_available.detail.startswith("asking torch.cuda: ")


def test_a_hung_import_does_not_cost_the_section_its_files_in_a_whole_examination(target: FakeTarget) -> None:
    target.torch("import time; time.sleep(60)", requires=PIN)
    result = examination(target.host(), [PROBE], target.request(), timeout_s=4.0)
    section = result.sections["torch"]
    assert isinstance(section, Torch)
    assert_files_were_read(section)
    assert section.imported.absent == "timeout"


def test_a_child_that_the_import_leaves_behind_is_ended_and_not_waited_for(target: FakeTarget, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    fork = f"""
import os, time
if os.fork() == 0:
    open({str(pid_file)!r}, "w").write(str(os.getpid()))
    while True: time.sleep(1)
while not os.path.exists({str(pid_file)!r}): time.sleep(0.01)
"""
    target.torch(WORKING_TORCH + fork)
    assert collect(target.host(), target.request()).device_count.or_none() == 4
    assert_ended(int(pid_file.read_text()))


def assert_ended(pid: int) -> None:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state in "ZX":
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} still runs")


def test_what_the_import_prints_is_not_taken_for_an_answer(target: FakeTarget) -> None:
    noise = """
import os, sys
print("\\x1egpudoctor\\tdevice_count\\t99")
os.write(1, b"\\n\\x1egpudoctor\\timport_error\\tFake\\tnot true\\n" + b"\\xff" * (9 << 20))
sys.stdout.write("half a line")
"""
    target.torch(noise + WORKING_TORCH)
    section = collect(target.host(), target.request())
    assert section.imported.or_none() is True
    assert section.device_count.or_none() == 4


def test_a_torch_that_lacks_everything_is_asked_to_the_end(target: FakeTarget) -> None:
    target.torch("")
    section = collect(target.host(), target.request())
    assert section.imported.or_none() is True
    assert section.device_count.absent == "failed"
    assert "AttributeError" in section.cuda_available.detail
    assert section.arch_list.absent == "failed"


def test_a_torch_whose_answers_are_nonsense_gives_no_nonsense_facts(target: FakeTarget) -> None:
    target.torch(WORKING_TORCH + "cuda = _N(is_available=lambda: 'maybe', device_count=lambda: '\u0664 -1')\n")
    section = collect(target.host(), target.request())
    assert section.cuda_available.absent == "failed"
    assert section.device_count.absent == "failed"


def test_a_cpu_build_is_told_from_one_that_does_not_say(target: FakeTarget) -> None:
    target.torch(version_py=CPU_VERSION_PY)
    section = collect(target.host(), target.request(quick=True))
    assert section.cuda_build.or_none() is False
    assert section.cuda_version.absent == "not_applicable"
    target.torch(version_py="\x00\xff garbage")
    section = collect(target.host(), target.request(quick=True))
    assert section.cuda_build.absent == "parse_error"
    assert section.version.absent == "parse_error"


def test_without_torch_every_fact_is_not_applicable(target: FakeTarget) -> None:
    section = collect(target.host(), target.request())
    assert section.installed.or_none() is False
    for field in ("version", "cuda_build", "imported", "device_count", "nccl_pin"):
        assert getattr(section, field).absent == "not_applicable"


def test_a_folder_called_torch_that_is_no_package_is_no_torch(target: FakeTarget) -> None:
    (target.site / "torch").mkdir()
    assert collect(target.host(), target.request()).installed.or_none() is False


def test_our_own_scripts_folder_does_not_shadow_the_targets_packages(target: FakeTarget) -> None:
    target.torch(WORKING_TORCH + "import sys\nassert not any('_target' in path for path in sys.path), sys.path\n")
    assert collect(target.host(), target.request()).imported.or_none() is True


def test_a_package_of_the_target_with_the_name_of_our_script_is_the_targets(target: FakeTarget) -> None:
    target.file("describe.py", "mine = True\n")
    target.torch(WORKING_TORCH + "import describe\nassert describe.mine\n")
    for safe_path in ("", "1"):
        section = collect(target.host(PYTHONSAFEPATH=safe_path), target.request())
        assert section.import_error.or_none() == ""


def test_an_interpreter_that_hangs_before_the_import_says_so(target: FakeTarget) -> None:
    target.file("hang.pth", "import time; time.sleep(60)\n")
    section = collect(target.host(), Request(python=str(target.python), deadline=0.0))
    assert section.installed.absent == "timeout"
    assert section.imported.detail.startswith("~/venv/bin/python3 did not answer")


def test_a_missing_interpreter_is_the_reason_everywhere(target: FakeTarget) -> None:
    section = collect(target.host(), Request(python=str(target.home / "none")))
    assert section.installed.absent == "tool_missing"
    assert section.imported.detail == "~/none does not exist"


def test_nothing_is_written_into_the_environment(target: FakeTarget) -> None:
    target.torch(version_py=CUDA_VERSION_PY)
    before = sorted(target.root.rglob("*"))
    collect(target.host(), target.request())
    assert sorted(target.root.rglob("*")) == before


def test_gpudoctor_itself_never_imports_torch(target: FakeTarget) -> None:
    target.torch(f"import os\nassert os.getpid() != {os.getpid()}\n" + WORKING_TORCH)
    assert collect(target.host(), target.request()).imported.or_none() is True


def test_a_variable_that_the_import_changes_is_told(target: FakeTarget) -> None:
    target.torch("import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '3'\n" + WORKING_TORCH)
    section = collect(target.host(), target.request(CUDA_VISIBLE_DEVICES="0,1"))
    assert section.visible_devices.or_none() == "3"
    assert section.cuda_initialized.or_none() is False


def test_a_variable_that_nobody_sets_does_not_exist(target: FakeTarget) -> None:
    target.torch()
    assert collect(target.host(), target.request()).visible_devices.absent == "not_applicable"
    assert collect(target.host(), target.request(CUDA_VISIBLE_DEVICES="")).visible_devices.or_none() == ""


def test_an_import_that_starts_cuda_is_told(target: FakeTarget) -> None:
    target.torch(WORKING_TORCH + "cuda.is_initialized = lambda: True\n")
    assert collect(target.host(), target.request()).cuda_initialized.or_none() is True
