"""py_wgml in other people's programs; each module is loaded by the program that it is for."""
