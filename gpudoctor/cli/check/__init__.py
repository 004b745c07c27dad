"""`gpudoctor check`, and `--log` with it."""
