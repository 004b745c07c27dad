"""Which versions come together: a driver branch and the newest CUDA it runs, PyPI's torch and its CUDA and NCCL."""

from __future__ import annotations

from functools import cache

import msgspec

from gpudoctor.paths import data_file


class TorchRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PyPI's own wheels for Linux on x86; those of other indices differ."""

    versions: tuple[str, ...]
    cuda: str
    nccl: str


class Releases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables."""

    source: str
    date: str
    driver_cuda: dict[str, str]
    torch: tuple[TorchRelease, ...]

    def cuda_of_driver(self, driver: str) -> str | None:
        """The newest CUDA of a driver's branch; None for one that is not listed."""
        return self.driver_cuda.get(driver.partition(".")[0])

    def torch_release(self, version: str) -> TorchRelease | None:
        """What PyPI ships as this version: with a local part (`2.5.1+cu124`) only where that is PyPI's own CUDA."""
        number, _, local = version.partition("+")
        found = next((release for release in self.torch if number in release.versions), None)
        if found is None or (local and local != f"cu{found.cuda.replace('.', '')}"):
            return None
        return found


@cache
def releases() -> Releases:
    """The packaged tables."""
    return msgspec.json.decode(data_file("releases.json").read_bytes(), type=Releases)
