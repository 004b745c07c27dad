"""From the machine or a snapshot file to facts, in a process of its own."""
