"""The one exception type a user of py_wgml needs to catch."""


class WgmlError(Exception):
    """Something the caller can act on, said in one line: bad file, unsupported model, lost device, bad argument."""
