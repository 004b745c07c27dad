"""Text to values: pure functions over what a file or a tool says. No reader touches the machine."""
