"""`gpudoctor snapshot`."""
