"""The environment: only what is allowed, bounded, and sorted into shell, launch command and configuration files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.model.fact import known
from gpudoctor.model.facts.environment import Environment
from gpudoctor.model.facts.workload import Workload
from gpudoctor.probes.environment import collect
from tests.probes.targets import FakeTarget

NO_PYTHON = Request(python="/nonexistent/python")


def examine(environ: dict[str, str], request: Request = NO_PYTHON) -> Environment:
    return collect(LocalHost(environ=environ, root=""), request)


def launch(**variables: str) -> Request:
    return Request(python=NO_PYTHON.python, launch_env=tuple(variables.items()))


def test_the_launch_command_overrides_the_shell_and_both_stay_known() -> None:
    section = examine({"NCCL_DEBUG": "WARN", "CUDA_VISIBLE_DEVICES": "0"}, launch(NCCL_DEBUG="INFO"))
    assert section.shell.or_none() == {"CUDA_VISIBLE_DEVICES": "0", "NCCL_DEBUG": "WARN"}
    assert section.launch.or_none() == {"NCCL_DEBUG": "INFO"}
    assert section.variables.or_none() == {"CUDA_VISIBLE_DEVICES": "0", "NCCL_DEBUG": "INFO"}


def test_a_container_gets_only_what_the_launch_command_gives_it() -> None:
    request = Request(
        python=NO_PYTHON.python,
        launch_env=(("NCCL_DEBUG", "INFO"),),
        workload=Workload(container=known("vllm/vllm-openai", "launch command")),
    )
    section = examine({"NCCL_P2P_DISABLE": "1"}, request)
    assert section.variables.or_none() == {"NCCL_DEBUG": "INFO"}
    assert section.shell.or_none() == {"NCCL_P2P_DISABLE": "1"}


def test_a_container_gets_by_name_what_the_shell_has() -> None:
    request = Request(
        python=NO_PYTHON.python,
        passed=("NCCL_DEBUG", "NCCL_ALGO"),
        workload=Workload(container=known("vllm/vllm-openai", "launch command")),
    )
    section = examine({"NCCL_P2P_DISABLE": "1", "NCCL_DEBUG": "INFO"}, request)
    assert section.variables.or_none() == {"NCCL_DEBUG": "INFO"}


def test_what_the_launch_command_takes_out_does_not_reach_the_run() -> None:
    request = Request(python=NO_PYTHON.python, unset=("NCCL_P2P_DISABLE",), launch_env=(("NCCL_ALGO", "Ring"),))
    section = examine({"NCCL_P2P_DISABLE": "1", "NCCL_DEBUG": "INFO"}, request)
    assert section.variables.or_none() == {"NCCL_ALGO": "Ring", "NCCL_DEBUG": "INFO"}
    assert section.shell.or_none() == {"NCCL_DEBUG": "INFO", "NCCL_P2P_DISABLE": "1"}


def test_in_a_clean_environment_only_the_launch_command_counts_and_home_is_still_not_shown() -> None:
    request = Request(python=NO_PYTHON.python, clean_environment=True, launch_env=(("NCCL_ALGO", "Ring"),))
    section = examine({"NCCL_P2P_DISABLE": "1", "HOME": "/home/ann", "LD_LIBRARY_PATH": "/home/ann/lib"}, request)
    assert section.variables.or_none() == {"NCCL_ALGO": "Ring"}
    assert (section.shell.or_none() or {})["LD_LIBRARY_PATH"] == "~/lib"


@pytest.mark.parametrize(
    "name",
    ["HF_TOKEN", "VLLM_API_KEY", "NCCL_secret_thing", "RAY_REDIS_PASSWORD", "NVIDIA_API_KEY", "AWS_SECRET_ACCESS_KEY",
     "PATH", "USER", "HOSTNAME", "SSH_CONNECTION", "MY_PROJECT"],
)  # fmt: skip
def test_secrets_and_other_variables_are_never_collected(name: str) -> None:
    section = examine({name: "hunter2"}, launch(**{name: "hunter2"}))
    assert b"hunter2" not in repr(section).encode()


@pytest.mark.parametrize(
    "name",
    ["NCCL_P2P_DISABLE", "LD_LIBRARY_PATH", "LD_PRELOAD", "MASTER_ADDR", "RANK", "WORLD_SIZE", "LOCAL_RANK",
     "TP_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME", "PYTORCH_CUDA_ALLOC_CONF", "TORCH_NCCL_BLOCKING_WAIT", "OMP_NUM_THREADS",
     "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES", "HF_HOME", "DS_SKIP_CUDA_CHECK", "TLLM_LOG_LEVEL",
     "GGML_CUDA_NO_VMM", "UCX_TLS", "SGLANG_NCCL_SO_PATH", "NVIDIA_VISIBLE_DEVICES", "VLLM_HOST_IP"],
)  # fmt: skip
def test_what_gpu_software_reads_is_collected(name: str) -> None:
    assert (examine({name: "value"}).variables.or_none() or {}) == {name: "value"}


def test_values_are_bounded_shortened_and_free_of_credentials() -> None:
    section = examine({
        "HOME": "/home/ann",
        "LD_LIBRARY_PATH": "/home/ann/nccl/lib:/home/anna/lib:/home/ann",
        "HF_ENDPOINT": "https://ann:p@ss@mirror.example/path@2",
        "VLLM_CACHE_ROOT": "x" * 10_000,
    })  # fmt: skip
    values = section.variables.or_none() or {}
    assert values["LD_LIBRARY_PATH"] == "~/nccl/lib:/home/anna/lib:~"
    assert values["HF_ENDPOINT"] == "https://mirror.example/path@2"
    assert len(values["VLLM_CACHE_ROOT"]) == 512
    assert values["VLLM_CACHE_ROOT"].endswith("…")


def test_bytes_that_are_no_text_and_a_flood_of_variables_do_no_harm() -> None:
    broken = os.fsdecode(b"0,\xff1")
    section = examine({"CUDA_VISIBLE_DEVICES": broken, **{f"NCCL_{number}": "1" for number in range(2000)}})
    values = section.variables.or_none() or {}
    assert values["CUDA_VISIBLE_DEVICES"] == "0,?1"
    assert len(values) == 500


def test_odd_values_stay_as_they_are() -> None:
    section = examine({"CUDA_VISIBLE_DEVICES": " 0,1\n", "NCCL_DEBUG": ""})
    assert section.variables.or_none() == {"CUDA_VISIBLE_DEVICES": " 0,1\n", "NCCL_DEBUG": ""}


def test_names_that_no_nccl_reads_are_told_from_those_of_others() -> None:
    section = examine({
        "NCCL_P2P_DISABLED": "1",
        "NCCL_TIMEOUT": "3600",
        "NCCL_P2P_DISABLE": "1",
        "NCCL_ASYNC_ERROR_HANDLING": "1",  # torch's
        "NCCL_TESTS_SPLIT_MASK": "0x7",  # nccl-tests'
        "NCCL_FASTRAK_NUM_FLOWS": "2",  # Google Cloud's
        "NCCL_VERSION": "2.27.5-1",  # set by NVIDIA's images
        "NCCL_HOME": "/opt/nccl",
    })  # fmt: skip
    assert section.unknown_nccl.or_none() == ("NCCL_P2P_DISABLED", "NCCL_TIMEOUT")


def test_removed_and_newer_names_depend_on_the_installed_version(target: FakeTarget) -> None:
    target.torch(requires="nvidia-nccl-cu12==2.21.5")
    target.nccl_wheel("cu12", "2.21.5")
    target.nccl_wheel("cu13", "2.30.7")
    variables = {
        "NCCL_LL_THRESHOLD": "0",  # gone since 2.5
        "NCCL_SHM_USE_CUDA_MEMCPY": "1",  # gone since 2.30.7
        "NCCL_CUMEM_HOST_ENABLE": "0",  # since 2.23.4
        "NCCL_DEBUG": "INFO",
    }
    section = collect(target.host(**variables), target.request())
    assert section.removed_nccl.or_none() == ("NCCL_LL_THRESHOLD",)
    assert section.newer_nccl.or_none() == ("NCCL_CUMEM_HOST_ENABLE",)
    assert "2.21.5" in section.removed_nccl.source


def test_without_a_known_version_only_what_nobody_reads_any_more_is_removed() -> None:
    section = examine({"NCCL_RINGS": "0 1", "NCCL_SHM_USE_CUDA_MEMCPY": "1", "NCCL_CUMEM_HOST_ENABLE": "0"})
    assert section.removed_nccl.or_none() == ("NCCL_RINGS",)
    assert section.newer_nccl.absent == "not_provided"


def test_configuration_files_count_where_the_environment_is_silent(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    (root / "etc").mkdir(parents=True)
    (home / ".nccl.conf").write_text("NCCL_P2P_LEVEL=NVL\nNCCL_DEBUG=WARN\nHF_TOKEN=hunter2\nPATH=/evil\n")
    (root / "etc/nccl.conf").write_text("# site\nNCCL_SOCKET_IFNAME==ens1f0\r\nNCCL_P2P_LEVEL=SYS\nnonsense\n")
    host = LocalHost(environ={"HOME": str(home), "NCCL_DEBUG": "INFO"}, root=str(root))
    section = collect(host, NO_PYTHON)
    conf = {"NCCL_P2P_LEVEL": "NVL", "NCCL_DEBUG": "WARN", "NCCL_SOCKET_IFNAME": "=ens1f0"}
    assert section.nccl_conf.or_none() == conf
    assert section.variables.or_none() == {**conf, "NCCL_DEBUG": "INFO"}


def test_a_configuration_file_that_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "nccl.conf"
    folder.mkdir()
    section = examine({"NCCL_CONF_FILE": str(folder)})
    assert section.nccl_conf.absent == "failed"
    assert section.variables.or_none() == {"NCCL_CONF_FILE": str(folder)}


def test_a_configuration_file_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "conf")
    assert examine({"NCCL_CONF_FILE": str(tmp_path / "conf")}).nccl_conf.or_none() == {}


def test_no_configuration_file_means_no_settings() -> None:
    assert examine({}).nccl_conf.or_none() == {}
