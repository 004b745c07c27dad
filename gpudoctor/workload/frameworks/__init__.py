"""One file = one program: its `SPEC` (or `SPECS`). Found by directory; nothing else lists them."""
