"""Hugging Face Accelerate. `--num_processes` counts the processes of all machines together."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="accelerate",
    role="launcher",
    programs=("accelerate", "accelerate-launch"),
    modules=("accelerate.commands.launch", "accelerate.commands.accelerate_cli"),
    subcommands=("launch",),
    options=(
        Option("processes", ("--num_processes",), "count", dynamic=("-1",)),
        Option("nodes", ("--num_machines",), "count"),
        Option("devices", ("--gpu_ids",), dynamic=("all",)),
        Option("config_file", ("--config_file",)),
        Option("master_addr", ("--main_process_ip",)),
        Option("master_port", ("--main_process_port",), "int"),
    ),
    valued="--machine_rank --mixed_precision --dynamo_backend --dynamo_mode --num_cpu_threads_per_process "
    "--rdzv_backend --rdzv_conf --max_restarts --monitor_interval --role --tee --log_dir --deepspeed_config_file "
    "--zero_stage --offload_optimizer_device --offload_param_device --gradient_accumulation_steps "
    "--gradient_clipping --zero3_init_flag --zero3_save_16bit_model --deepspeed_hostfile "
    "--deepspeed_multinode_launcher --fsdp_offload_params --fsdp_sharding_strategy --fsdp_auto_wrap_policy "
    "--fsdp_state_dict_type --fsdp_version --fsdp_transformer_layer_cls_to_wrap --fsdp_backward_prefetch "
    "--fsdp_min_num_params --main_training_function",
    flags="--multi_gpu --cpu --tpu --use_deepspeed --use_fsdp --use_megatron_lm --same_network -m --module --no_python "
    "-q --quiet --debug --enable_cpu_affinity --use_xpu --use_parallelism_config --dynamo_use_dynamic -h --help",
    abbreviations=True,
    follow="script",
)
