"""The smoke run: real processes, real torch.distributed, every element checked, every hang named."""
