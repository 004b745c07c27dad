"""Rules: load, compile, evaluate, rank. Knows no probe and no renderer."""
