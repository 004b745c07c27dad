"""Which of PyTorch's CUDA builds runs here (derived from driver and GPUs)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class TorchWheel(Section, frozen=True, kw_only=True):
    """Names of indices below https://download.pytorch.org/whl/, such as cu130. Absent not_applicable: there is none."""

    index: Fact[str] = NOT_PROVIDED  # with the newest torch that has a build for this driver and every visible GPU
    same_version_index: Fact[str] = NOT_PROVIDED  # the same for the release that is installed
