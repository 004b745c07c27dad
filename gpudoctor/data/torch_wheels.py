"""Which CUDA builds of torch download.pytorch.org has, and for which GPUs: experimental ones left out."""

from __future__ import annotations

from functools import cache

import msgspec

from gpudoctor.paths import data_file


class Build(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"lowest": "from", "highest": "to"}):
    """One index, such as cu130 in download.pytorch.org/whl/cu130. Both compute capabilities are included."""

    index: str
    lowest: str
    highest: str

    @property
    def cuda_major(self) -> int:
        """The driver must be for this CUDA or a newer one: inside a major every minor does."""
        return int(self.index[2:-1])


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A minor release, "2.9", with its builds: PyTorch's own default first."""

    torch: str
    builds: tuple[Build, ...]


class TorchWheels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table, newest release first."""

    source: str
    date: str
    releases: tuple[Release, ...]


@cache
def torch_wheels() -> TorchWheels:
    """The packaged table."""
    return msgspec.json.decode(data_file("torch_wheels.json").read_bytes(), type=TorchWheels)
