"""Memory of a model on GPUs, calculated: which bytes lie on which rank, what is legal, what to change."""
