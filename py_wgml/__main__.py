"""`python -m py_wgml` is the command `py_wgml`."""

from .command import main

main()
