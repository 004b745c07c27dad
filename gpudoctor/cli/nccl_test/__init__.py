"""`gpudoctor nccl-test`, and `check --smoke`."""
