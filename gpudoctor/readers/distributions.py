"""Which installed distributions matter to a GPU run, and which of them have a fact of their own."""

from __future__ import annotations

from gpudoctor.lazy_pattern import lazy_pattern

# Fields of `PythonTarget`, and the distributions that tell their version.
VERSION_FIELDS = {
    "vllm": ("vllm",),
    "sglang": ("sglang",),
    "tensorrt_llm": ("tensorrt-llm",),
    "text_generation_inference": ("text-generation-server",),
    "exllamav2": ("exllamav2",),
    "deepspeed": ("deepspeed",),
    "accelerate": ("accelerate",),
    "transformers": ("transformers",),
    "ray": ("ray",),
    "flashinfer": ("flashinfer-python", "flashinfer"),
    "pynvml_wrapper": ("pynvml",),
}
_PREFIXES = (
    "nvidia-", "torch", "pytorch", "vllm", "sglang", "sgl-", "flash", "triton", "cuda-", "cupy", "tensorrt", "exllama",
    "deepspeed", "text-generation", "transformer-engine", "megatron", "gptqmodel", "auto-gptq", "autoawq", "lmcache",
    "llama-cpp", "aphrodite", "lmdeploy", "unsloth", "jax", "tensorflow", "horovod", "apex", "mpi4py", "deep-",
)  # fmt: skip
_NAMES = frozenset({
    "accelerate", "bitsandbytes", "compressed-tensors", "gguf", "huggingface-hub", "lightning", "mscclpp", "nixl",
    "numpy", "optimum", "outlines", "peft", "pynvml", "ray", "safetensors", "transformers", "trl", "xformers",
    "xgrammar",
})  # fmt: skip
_DASHES = lazy_pattern(r"[-_.]+")


def normalised(name: str) -> str:
    """The name as package indexes compare it.

    >>> normalised("Nvidia_NCCL.cu12")
    'nvidia-nccl-cu12'
    """
    return _DASHES.sub("-", name).lower()


def matters(name: str) -> bool:
    """Whether a distribution of this (normalised) name is worth collecting."""
    return name in _NAMES or name.startswith(_PREFIXES)
