"""Tables with source and date, and their loaders."""
