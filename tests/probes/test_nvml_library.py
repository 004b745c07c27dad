"""nvidia-ml-py in the versions that people have installed."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.host.replay import ReplayHost
from gpudoctor.model.facts.nvml import Nvml
from gpudoctor.probes import _nvml_values as values
from gpudoctor.probes._nvml_errors import NvmlProblem, error_name, problem
from gpudoctor.probes._nvml_fields import one
from gpudoctor.probes._nvml_library import Device, Library, load
from gpudoctor.probes._stalled import Stalled
from gpudoctor.probes.nvml import PROBE


class Package(ModuleType):
    """A module called pynvml with the functions that are given to it."""

    class NVMLError(Exception):
        value = 999

    def __init__(self, **functions: object) -> None:
        super().__init__("pynvml")
        self.__file__ = "/somewhere/pynvml.py"
        self.nvmlInit = lambda: None
        self.__dict__.update(functions)


def library(**functions: object) -> Library:
    return Library(Package(**functions), Stalled(()))


def problem_of(wanted: Library, function: str, *arguments: object) -> NvmlProblem:
    with pytest.raises(NvmlProblem) as raised:
        wanted.call(function, *arguments)
    return raised.value


def test_a_function_that_the_package_lacks_is_not_supported() -> None:
    found = problem_of(library(), "nvmlDeviceGetBrandNew")
    assert (found.reason, found.detail) == ("not_supported", "this nvidia-ml-py has no nvmlDeviceGetBrandNew")
    assert found.try_older


def test_a_function_with_fewer_parameters_is_not_supported_and_the_older_form_tried() -> None:
    found = problem_of(library(nvmlDeviceGetMemoryInfo=lambda handle: handle), "nvmlDeviceGetMemoryInfo", 0, 2)
    assert found.reason == "not_supported"
    assert found.try_older


def test_text_that_the_package_cannot_decode_is_a_parse_error() -> None:
    def name(_handle: object) -> str:
        return b"\xff".decode()

    assert problem_of(library(nvmlDeviceGetName=name), "nvmlDeviceGetName", 0).reason == "parse_error"


def test_an_error_without_a_number_is_unknown() -> None:
    class Odd(Package.NVMLError):
        value = None  # type: ignore[assignment]  # as no package should have it

    def fail() -> None:
        raise Odd

    assert problem_of(library(nvmlX=fail), "nvmlX").detail == "UNKNOWN"


def test_bytes_of_an_old_package_become_text() -> None:
    gpu = Device(library(nvmlDeviceGetName=lambda _handle: b"Tesla T4"), 0, object())
    facts = one("name", lambda device: device.call("nvmlDeviceGetName"), values.text).read(gpu)
    assert facts["name"].value == "Tesla T4"


def test_an_answer_that_makes_no_sense_is_a_parse_error() -> None:
    gpu = Device(library(nvmlDeviceGetName=lambda _handle: 7), 0, object())
    facts = one("name", lambda device: device.call("nvmlDeviceGetName"), values.text).read(gpu)
    assert (facts["name"].absent, facts["name"].detail) == ("parse_error", "7 is not a string")


@pytest.mark.parametrize(
    ("code", "reason", "detail"),
    [
        (3, "not_supported", ""),
        (4, "no_permission", "NO_PERMISSION"),
        (10, "timeout", "TIMEOUT"),
        (13, "not_supported", "driver older than this query"),
        (25, "not_supported", "driver older than this query"),
        (15, "failed", "GPU_IS_LOST"),
        (999, "failed", "UNKNOWN"),
        (77, "failed", "ERROR_77"),
    ],
)
def test_a_return_code_is_a_reason_and_a_name(code: int, reason: str, detail: str) -> None:
    assert (problem(code).reason, problem(code).detail) == (reason, detail)


def test_names_are_those_of_nvml_h_without_the_prefix() -> None:
    pynvml = pytest.importorskip("pynvml")
    for name in dir(pynvml):
        if name.startswith("NVML_ERROR_") and getattr(pynvml, name) in range(1, 30):
            assert f"NVML_ERROR_{error_name(getattr(pynvml, name))}" == name


def collected(environ: dict[str, str] | None = None) -> Nvml:
    found = PROBE.collect(LocalHost(environ=environ or {}), Request())
    assert isinstance(found, Nvml)
    return found


def test_without_the_package_everything_is_tool_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    found = collected()
    assert found.init_error.absent == found.devices.absent == "tool_missing"
    assert "nvidia-ml-py cannot be imported" in found.init_error.detail


def test_another_package_of_that_name_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("pynvml")
    other.__file__ = "/site-packages/pynvml/__init__.py"
    monkeypatch.setitem(sys.modules, "pynvml", other)
    found = collected()
    assert found.init_error.absent == "tool_missing"
    assert found.init_error.detail == "/site-packages/pynvml/__init__.py is not nvidia-ml-py"


def test_the_deprecated_wrapper_may_complain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Package())
    assert load(Stalled(())).call("nvmlInit") is None


def test_a_recorded_machine_is_not_asked(tmp_path: object) -> None:
    found = PROBE.collect(ReplayHost(str(tmp_path)), Request())
    assert isinstance(found, Nvml)
    assert found.init_error.absent == "not_provided"


def test_what_nvidia_ml_py_is_given_instead_of_find_library_is_as_good() -> None:
    script = (
        "import sys\n"
        "from gpudoctor.probes._nvml_library import load\n"
        "from gpudoctor.probes._stalled import Stalled\n"
        "module = load(Stalled(())).module\n"
        "assert 'ctypes.util' not in sys.modules and 'tempfile' not in sys.modules\n"
        "from ctypes.util import find_library\n"
        "assert module.find_library is not find_library\n"
        "print(module.find_library('c') == find_library('c'))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True\n"
