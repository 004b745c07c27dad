"""Any other Python script: option names that scripts agree on. Their types are not known, so nothing is an error."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="script",
    role="script",
    options=(
        Option("model", ("--model", "--model-path", "--model-id", "--model-name-or-path", "--model-name", "--model-dir",
                         "--pretrained-model-name-or-path", "--ckpt-dir", "--base-model")),
        Option("tp", ("--tensor-parallel-size", "--tp-size", "--tp", "-tp", "--tensor-parallel", "--tensor-parallelism",
                      "--tensor-model-parallel-size", "--model-parallel-size"), "count"),
        Option("pp", ("--pipeline-parallel-size", "--pipeline-model-parallel-size", "--pp-size", "--pp"), "count"),
        Option("dp", ("--data-parallel-size", "--dp-size"), "count"),
        Option("world_size_option", ("--world-size",), "count"),
        Option("dtype", ("--dtype", "--torch-dtype"), "dtype"),
        Option("quantization", ("--quantization",)),
        Option("max_model_len", ("--max-model-len", "--max-seq-len"), "tokens"),
        Option("gpu_memory_utilization", ("--gpu-memory-utilization",), "float"),
        Option("enforce_eager", ("--enforce-eager",), "flag"),
        Option("custom_allreduce_disabled", ("--disable-custom-all-reduce",), "flag"),
    ),
)  # fmt: skip
