"""`gpudoctor explain`."""
