"""Keys of reports and notes, and what they say."""

from __future__ import annotations

# What a key says, keys in lower case. Values are versions where VERSIONED says so, else what stands to the line's end.
KEYS = {
    "pytorch version": "torch",
    "pytorch": "torch",
    "torch version": "torch",
    "torch": "torch",
    "vllm version": "vllm",
    "vllm": "vllm",
    "sglang version": "sglang",
    "sglang": "sglang",
    "deepspeed version": "deepspeed",
    "deepspeed info": "deepspeed",
    "deepspeed": "deepspeed",
    "accelerate version": "accelerate",
    "accelerate": "accelerate",
    "transformers version": "transformers",
    "transformers": "transformers",
    "ray version": "ray",
    "tensorrt-llm version": "tensorrt-llm",
    "tensorrt-llm": "tensorrt-llm",
    "tensorrt_llm": "tensorrt-llm",
    "tensorrt llm": "tensorrt-llm",
    "exllamav2": "exllamav2",
    "flashinfer": "flashinfer",
    "flashinfer_python": "flashinfer",
    "libnccl2": "libnccl2",
    "nccl": "nccl",
    "nccl version": "nccl",
    "python": "python",
    "python version": "python",
    "driver": "driver",
    "driver version": "driver",
    "kmd version": "driver",
    "gpu driver": "driver",
    "gpu driver version": "driver",
    "nvidia driver": "driver",
    "nvidia driver version": "driver",
    "nvidia-driver": "driver",
    "driver container": "driver",
    "cuda driver": "driver",
    "cuda driver version": "driver",
    "cuda version": "cuda",
    "cuda umd version": "cuda",
    "cuda": "cuda",
    "cuda used to build pytorch": "torch_cuda",
    "torch cuda version": "torch_cuda",
    "pytorch cuda version": "torch_cuda",
    "fabric manager": "fabric_manager",
    "fabricmanager": "fabric_manager",
    "nvidia-fabricmanager": "fabric_manager",
    "is cuda available": "cuda_available",
    "cuda available": "cuda_available",
    "os": "os",
    "operating system": "os",
    "distro": "os",
    "host os": "os",
    "kernel": "kernel",
    "kernel version": "kernel",
    "linux kernel": "kernel",
    "python platform": "platform",
    "platform": "platform",
    "libc version": "glibc",
    "cpu": "cpu",
    "cpus": "cpu",
    "cpu model": "cpu",
    "processor": "cpu",
    "cpu architecture": "architecture",
    "gpu": "gpu",
    "gpus": "gpu",
    "gpu type": "gpu",
    "gpu model": "gpu",
    "gpu models": "gpu",
    "gpu info": "gpu",
    "hardware": "gpu",
    "instance": "gpu",
    "accelerator": "gpu",
    "accelerators": "gpu",
    "graphics card": "gpu",
    "gpu number": "gpu_count",
    "gpu count": "gpu_count",
    "number of gpus": "gpu_count",
    "num gpus": "gpu_count",
    "attached gpus": "gpu_count",
    "ram": "memory",
    "system ram": "memory",
    "host memory": "memory",
    "shm": "shm",
    "shm size": "shm",
    "shm_size": "shm",
    "/dev/shm": "shm",  # noqa: S108 - a key
    "/dev/shm size": "shm",  # noqa: S108
    "shared memory (/dev/shm) size": "shm",
    "hypervisor vendor": "hypervisor",
    "ulimit soft": "nofile",
    "kubernetes": "kubernetes",
}
VERSIONED = frozenset({
    "torch", "vllm", "sglang", "deepspeed", "accelerate", "transformers", "ray", "tensorrt-llm", "exllamav2",
    "flashinfer", "libnccl2", "nccl", "python", "driver", "cuda", "torch_cuda", "fabric_manager", "kernel",
})  # fmt: skip
WHOLE_LINE = frozenset({"cpu", "platform"})

# How words are written that have capitals of their own.
_WRITTEN = {
    "pytorch": "PyTorch", "cuda": "CUDA", "gpu": "GPU", "gpus": "GPUs", "cpu": "CPU", "os": "OS", "nccl": "NCCL",
    "vllm": "vLLM", "sglang": "SGLang", "deepspeed": "DeepSpeed", "nvidia": "NVIDIA", "kmd": "KMD", "umd": "UMD",
    "ram": "RAM", "tensorrt-llm": "TensorRT-LLM", "tensorrt": "TensorRT", "llm": "LLM",
}  # fmt: skip
_NUMBERED = {
    "torch": "12", "pytorch": "12", "vllm": "0", "sglang": "0", "deepspeed": "0", "accelerate": "01", "nccl": "2",
    "transformers": "45", "tensorrt-llm": "01", "driver": "3456", "exllamav2": "0", "flashinfer": "0", "kernel": "3456",
    "nvidia driver": "3456", "driver version": "3456", "python": "3", "libnccl2": "2",
}  # fmt: skip


def literals() -> tuple[str, ...]:
    """What a line with one of the keys holds, in the spellings that are met."""
    found: list[str] = []
    for key in KEYS:
        for written in _spellings(key):
            if " " in key or len(key) > 9:
                found.append(written)
            else:
                found += [f"{written}:", f"{written} :", f"{written}  ", f"{written}="]
            found += [f"{written} {digit}" for digit in _NUMBERED.get(key, "")]
    return tuple(dict.fromkeys(found))


def _spellings(key: str) -> tuple[str, ...]:
    words = [_WRITTEN.get(word, word) for word in key.split(" ")]
    first = words[0][:1].upper() + words[0][1:]
    titles = [word if word != word.lower() else word.capitalize() for word in words]
    forms = (key, " ".join([first, *words[1:]]), " ".join(words), " ".join(titles))
    extra = (key.replace("nvidia", "Nvidia"),) if key.startswith("nvidia") else ()
    return tuple(dict.fromkeys((*forms, *extra)))
