"""The interpreter under examination and what is installed there (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class Distribution(Item, frozen=True, kw_only=True):
    """An installed distribution that matters to a GPU run."""

    name: str  # normalised: lower case, dashes
    version: str
    location: str = ""


class PythonTarget(Section, frozen=True, kw_only=True):
    """The `--python` interpreter."""

    executable: Fact[str] = NOT_PROVIDED
    chosen_by: Fact[str] = NOT_PROVIDED  # option | launch_command | virtual_env | path | own
    version: Fact[str] = NOT_PROVIDED
    prefix: Fact[str] = NOT_PROVIDED
    sys_path: Fact[tuple[str, ...]] = NOT_PROVIDED  # absolute entries, in order
    error: Fact[str] = NOT_PROVIDED  # "" where it starts
    distributions: Fact[tuple[Distribution, ...]] = NOT_PROVIDED
    vllm: Fact[str] = NOT_PROVIDED  # versions; absent not_applicable where not installed
    sglang: Fact[str] = NOT_PROVIDED
    tensorrt_llm: Fact[str] = NOT_PROVIDED
    text_generation_inference: Fact[str] = NOT_PROVIDED
    exllamav2: Fact[str] = NOT_PROVIDED
    deepspeed: Fact[str] = NOT_PROVIDED
    accelerate: Fact[str] = NOT_PROVIDED
    transformers: Fact[str] = NOT_PROVIDED
    ray: Fact[str] = NOT_PROVIDED
    flashinfer: Fact[str] = NOT_PROVIDED
    pynvml_wrapper: Fact[str] = NOT_PROVIDED  # the deprecated PyPI `pynvml`, which shadows nvidia-ml-py
