"""ExLlamaV2: its test script and TabbyAPI. Without --tensor-parallel the layers are split, which is not TP."""

from gpudoctor.workload.spec import Option, Spec

_OPTIONS = (
    Option("model", ("--model-name", "--model-dir", "-m")),
    Option("tensor_parallel", ("--tensor-parallel", "-tp"), "boolean"),
    Option("gpu_split", ("--gpu-split", "-gs"), "list", dynamic=("auto",)),
    Option("max_model_len", ("--max-seq-len", "-l", "--length"), "tokens"),
    Option("kv_cache_dtype", ("--cache-mode",)),
    Option("max_num_seqs", ("--max-batch-size",), "count"),
)

SPEC = Spec(
    name="exllamav2",
    scripts=("main.py", "start.py", "test_inference.py", "chat.py"),
    script_needs=("--gpu-split", "-gs", "--tensor-parallel", "--gpu-split-auto", "--cache-mode"),
    images=("theroyallab/tabbyapi",),
    options=_OPTIONS,
    flags="--gpu-split-auto --disable-auth -h --help",
)
