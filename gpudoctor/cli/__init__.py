"""The command line: one folder a verb; the only place that prints or exits."""
