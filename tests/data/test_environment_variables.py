"""The list of variables that may be collected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.data.environment_variables import allow_list


@given(
    st.sampled_from(allow_list().prefixes),
    st.text(max_size=10),
    st.sampled_from(["token", "Key", "SECRET", "PASSWORD"]),
)
def test_no_prefix_lets_a_secret_through(prefix: str, middle: str, part: str) -> None:
    assert not allow_list().allows(prefix + middle + part)


@pytest.mark.parametrize("name", ["", "NCCL", "nccl_debug", "XNCCL_DEBUG", "PATH", "HOME", "USER", "LOGNAME", "RANKS"])
def test_only_exact_names_and_prefixes_are_allowed(name: str) -> None:
    assert not allow_list().allows(name)


def test_no_name_of_the_list_is_shut_out_by_its_own_ban() -> None:
    assert [name for name in allow_list().names if not allow_list().allows(name)] == []
