"""torch/version.py and torch's metadata as text: what was built, without importing it."""

from __future__ import annotations

import re

from msgspec import Struct

from gpudoctor.lazy_pattern import lazy_pattern

_ASSIGNMENT = lazy_pattern(
    r"^(?P<name>\w+)\s*(?::[^=\n]*)?=\s*(?:(?P<none>None)|(?P<quote>['\"])(?P<text>[^'\"\n]{0,200})(?P=quote))",
    re.MULTILINE,
)
_PIN = lazy_pattern(r"^(?P<name>[\w.-]*nccl[\w.-]*?)\s*\(?\s*={2,3}\s*(?P<version>[\w.+!-]+)", re.IGNORECASE)


class TorchVersion(Struct, frozen=True):
    """`cuda` and `hip` are None for a build without; all are None where the file does not say."""

    version: str | None
    cuda: str | None
    hip: str | None
    says_cuda: bool  # whether the file says anything about CUDA: without that, None is no answer


def read_version(text: str) -> TorchVersion:
    r"""The assignments of a torch/version.py.

    >>> read_version("__version__ = '2.9.1+cu128'\ncuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n")
    TorchVersion(version='2.9.1+cu128', cuda='12.8', hip=None, says_cuda=True)
    """
    values = {match["name"]: match["text"] for match in _ASSIGNMENT.finditer(text)}
    return TorchVersion(values.get("__version__"), values.get("cuda"), values.get("hip"), "cuda" in values)


def read_nccl_pin(requirement: str) -> tuple[str, str] | None:
    """Distribution and version of an NCCL requirement; None for one that pins no NCCL.

    >>> read_nccl_pin('nvidia-nccl-cu12==2.27.5; platform_system == "Linux"')
    ('nvidia-nccl-cu12', '2.27.5')
    """
    match = _PIN.match(requirement)
    return (match["name"].lower().replace("_", "-"), match["version"]) if match else None


def decode_nccl(version: str) -> str:
    """NCCL's version as text, also from the single number that old versions of torch give.

    Up to 2.8 the number is X*1000+Y*100+Z, from 2.9 on X*10000+Y*100+Z (nccl.h).

    >>> decode_nccl("2708"), decode_nccl("22005"), decode_nccl("2.27.5")
    ('2.7.8', '2.20.5', '2.27.5')
    """
    if not version.isascii() or not version.isdigit() or len(version) > 6:
        return version
    number = int(version)
    thousands = 1000 if number < 10000 else 10000
    return f"{number // thousands}.{number % thousands // 100}.{number % 100}"
