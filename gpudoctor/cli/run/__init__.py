"""`gpudoctor run`."""
