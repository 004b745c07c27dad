"""The table of NCCL's variables."""

from __future__ import annotations

import pytest

from gpudoctor.data.nccl_variables import parse, table


def test_every_row_is_a_variable_with_versions_in_order() -> None:
    for name, row in table().variables.items():
        assert name.startswith("NCCL_")
        assert parse(row.since) >= (2, 0)
        assert row.removed is None or parse(row.removed) > parse(row.since), name


def test_no_name_is_both_nccls_and_anothers() -> None:
    assert not set(table().variables) & set(table().foreign)


@pytest.mark.parametrize(
    ("name", "since"),
    [("NCCL_P2P_DIRECT_DISABLE", "2.12.12"), ("NCCL_CUMEM_ENABLE", "2.18.1"), ("NCCL_CUMEM_HOST_ENABLE", "2.23.4"),
     ("NCCL_NVLS_ENABLE", "2.17.1"), ("NCCL_RUNTIME_CONNECT", "2.22.3"), ("NCCL_CONF_FILE", "2.23.4"),
     ("NCCL_MULTI_RANK_GPU_ENABLE", "2.30.3"), ("NCCL_RUN_DIAGNOSTICS", "2.31.2")],
)  # fmt: skip
def test_well_known_variables_have_the_version_that_brought_them(name: str, since: str) -> None:
    assert table().variables[name].since == since


def test_a_name_is_removed_and_newer_only_relative_to_a_version() -> None:
    assert table().is_removed("NCCL_SHM_USE_CUDA_MEMCPY", (2, 30, 7))
    assert not table().is_removed("NCCL_SHM_USE_CUDA_MEMCPY", (2, 27, 5))
    assert not table().is_removed("NCCL_DEBUG", (99,))
    assert not table().is_removed("NCCL_TIMEOUT", (99,))
    assert table().is_newer("NCCL_CUMEM_ENABLE", (2, 14, 3))
    assert not table().is_newer("NCCL_CUMEM_ENABLE", (2, 18, 1))


def test_names_of_others_are_known_and_folklore_is_not() -> None:
    for name in (
        "NCCL_BLOCKING_WAIT",
        "NCCL_TESTS_DEVICE",
        "NCCL_FASTRAK_IFNAME",
        "NCCL_TUNER_CONFIG_PATH",
        "NCCL_VERSION",
    ):
        assert table().is_known(name), name
    for name in ("NCCL_TIMEOUT", "NCCL_P2P_NET_DISABLE", "NCCL_SHM", "NCCL_"):
        assert not table().is_known(name), name


def test_a_version_ends_where_its_numbers_do() -> None:
    assert parse("2.26.2.post1") == (2, 26, 2)
    assert parse("x") == ()
