"""The one exception type a user of py_wgml needs to catch, and the kind of it that has a remedy of its own."""


class WgmlError(Exception):
    """Something the caller can act on, said in one line: bad file, unsupported model, lost device, bad argument."""


class ContextError(WgmlError):
    """The conversation is longer than the context."""
