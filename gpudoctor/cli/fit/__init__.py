"""`gpudoctor fit`."""
