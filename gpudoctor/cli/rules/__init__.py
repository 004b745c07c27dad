"""`gpudoctor rules`, and the shortest way to try a rule."""
