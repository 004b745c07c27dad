"""Patterns of matches(): linear ones are taken, the others refused at load."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.engine.patterns import compile_pattern
from gpudoctor.engine.problem import SpecError


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"RTX (30|40|50)[0-9]0", "NVIDIA GeForce RTX 4090", True),
        (r"(^| )iommu=(pt|off)( |$)", "ro quiet iommu=pt", True),
        (r"pci=[^ ]*noacs", "quiet pci=realloc,noacs", True),
        (r"^CUDA error: \d+$", "CUDA error: 802", True),
        (r"\.so\.2$", "libnccl.so.2", True),
        (r"A100|H100|H200|B200|GB200|L40S|L4|T4", "NVIDIA H200", True),
        (r"[]x]y", "]y", True),
        (r"a{2,4}b", "aaab", True),
        (r"x", "abc", False),
    ],
)
def test_plain_patterns_work(pattern: str, text: str, found: bool) -> None:
    assert bool(compile_pattern(pattern).search(text)) is found


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(a|a)*b",
        r"(a*)*",
        r"a*a*a*b",
        r".*x.*y",
        r"(?:a{1,30}){1,30}",
        r"a?a?a?a?a?a?a?a?a?",
        r"(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)",
        r"(a)\1",
        r"(?=a)b",
        r"(?<!a)b",
        r"(?i)a",
        r"(?P<n>a)",
        r"a*?",
        r"a++",
        r"*a",
        r"a|*b",
        r"(",
        r"a)",
        r"[a",
        r"a{5,2}",
        r"a{,5}",
        "a" * 300,
        r"\Z",
        r"\x41",
    ],
)
def test_patterns_that_could_be_slow_or_are_none_are_refused(pattern: str) -> None:
    with pytest.raises(SpecError):
        compile_pattern(pattern)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab|()[]^$*+?{}1,2\\d.", max_size=16))
def test_any_text_is_a_pattern_or_refused_and_a_pattern_ends(pattern: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except SpecError:
        return
    assert isinstance(compiled, re.Pattern)
    compiled.search("ab" * 1000)
