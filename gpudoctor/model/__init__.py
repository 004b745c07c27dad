"""Frozen data: facts, findings, reports. No input or output happens here."""
