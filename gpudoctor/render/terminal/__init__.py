"""The parts of the text format, drawn on a canvas of styled lines."""
