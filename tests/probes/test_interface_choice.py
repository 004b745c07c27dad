"""Which interface NCCL and Gloo take, by their settings and without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.model.fact import absent, known
from gpudoctor.probes._interface_choice import Candidate, gloo_choice, gloo_unmatched, nccl_choice, nccl_unmatched


def made(*names: str, ipv6_only: tuple[str, ...] = ()) -> list[Candidate]:
    return [
        Candidate(name, index, loopback=name == "lo", ipv4=name not in ipv6_only, ipv6=name in ipv6_only)
        for index, name in enumerate(names, start=1)
    ]


SERVER = made("lo", "docker0", "virbr0", "eno1", "eno2", "ibs1")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("lo", "eno1", "ib0"), "ib0"),
        (("lo", "docker0", "eno1"), "eno1"),
        (("lo", "virbr0", "eno1"), "eno1"),
        (("lo", "docker0"), "docker0"),
        (("lo",), "lo"),
        (("virbr0",), "virbr0"),
    ],
)
def test_nccl_by_default(names: tuple[str, ...], chosen: str) -> None:
    assert nccl_choice(made(*names), {}).value == chosen


@pytest.mark.parametrize(
    ("setting", "chosen"),
    [
        ("eno", "eno1"),
        ("eno2", "eno2"),
        ("=eno2", "eno2"),
        ("^eno,docker,lo,virbr", "ibs1"),
        ("^=eno1,lo,docker0,virbr0", "eno2"),
        ("nothere,eno2", "eno2"),
        ("lo", "lo"),
        ("eno2:1", "eno2"),
        ("^", "ibs1"),
        ("", "ibs1"),
    ],
)
def test_nccl_by_its_setting(setting: str, chosen: str) -> None:
    assert nccl_choice(SERVER, {"NCCL_SOCKET_IFNAME": setting}).value == chosen


@pytest.mark.parametrize("setting", ["eth0", "=eno", "^e,i,l,d,v"])
def test_nccl_fails_where_its_setting_matches_nothing(setting: str) -> None:
    assert nccl_choice(SERVER, {"NCCL_SOCKET_IFNAME": setting}).absent == "failed"


def test_nccl_takes_ipv4_first_and_only_the_family_that_is_asked_for() -> None:
    both = made("lo", "eno1", "eno2", ipv6_only=("eno1",))

    assert nccl_choice(both, {}).value == "eno2"
    assert nccl_choice(both, {"NCCL_SOCKET_FAMILY": "AF_INET6"}).value == "eno1"
    assert nccl_choice(made("eno1", ipv6_only=("eno1",)), {"NCCL_SOCKET_FAMILY": "AF_INET"}).absent == "failed"


@pytest.mark.parametrize(
    ("setting", "unmatched"), [("eth0,eno1", ("eth0",)), ("=eno,eno1", ("eno",)), ("^eth0", ()), ("eno", ())]
)
def test_entries_of_nccls_list_that_match_nothing(setting: str, unmatched: tuple[str, ...]) -> None:
    assert nccl_unmatched(SERVER, {"NCCL_SOCKET_IFNAME": setting}).value == unmatched


def test_without_a_setting_nothing_can_be_unmatched() -> None:
    assert nccl_unmatched(SERVER, {}).absent == "not_applicable"
    assert gloo_unmatched(SERVER, {}).absent == "not_applicable"


@pytest.mark.parametrize(
    ("resolved", "chosen"),
    [("eno1", "eno1"), ("loopback", "lo"), ("nothing", "lo"), ("foreign", "lo"), ("gone0", "lo")],
)
def test_gloo_follows_the_host_name_or_falls_back_to_loopback(resolved: str, chosen: str) -> None:
    assert gloo_choice(SERVER, {}, known(resolved, "/etc/hosts")).value == chosen


def test_gloo_wants_whole_names() -> None:
    anywhere = known("eno1", "/etc/hosts")

    assert gloo_choice(SERVER, {"GLOO_SOCKET_IFNAME": "eno2"}, anywhere).value == "eno2"
    assert gloo_choice(SERVER, {"GLOO_SOCKET_IFNAME": "eno"}, anywhere).absent == "failed"
    assert gloo_choice(SERVER, {"GLOO_SOCKET_IFNAME": ","}, anywhere).absent == "failed"
    assert gloo_unmatched(SERVER, {"GLOO_SOCKET_IFNAME": "eno,eno2"}).value == ("eno",)


def test_gloo_is_unknown_where_the_host_name_is() -> None:
    assert gloo_choice(SERVER, {}, absent("timeout", "getent did not answer")).absent == "timeout"
    assert gloo_choice(made("eno1"), {}, known("nothing", "getent ahosts")).absent == "failed"


@given(st.text(max_size=60), st.text(max_size=10))
def test_no_setting_crashes_it(setting: str, family: str) -> None:
    environ = {"NCCL_SOCKET_IFNAME": setting, "GLOO_SOCKET_IFNAME": setting, "NCCL_SOCKET_FAMILY": family}

    assert nccl_choice(SERVER, environ).absent in {None, "failed"}
    nccl_unmatched(SERVER, environ)
    gloo_unmatched(SERVER, environ)
    gloo_choice(SERVER, environ, known("loopback", ""))
