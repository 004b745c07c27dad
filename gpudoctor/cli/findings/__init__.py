"""From facts to findings and a report."""
