"""lm-evaluation-harness, which hands its `--model_args` to vLLM or Accelerate."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="lm_eval",
    programs=("lm_eval", "lm-eval", "lm_eval.exe"),
    modules=("lm_eval",),
    subcommands=("run",),
    options=(Option("model_args", ("--model_args", "-a")),),
    valued="--model -M --tasks -t --num_fewshot -f --batch_size -b --device --output_path -o --limit -L --gen_kwargs",
    flags="--log_samples --trust_remote_code --write_out -h --help",
)
