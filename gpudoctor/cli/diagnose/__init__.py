"""`gpudoctor diagnose`: logs without a machine, or with one."""
