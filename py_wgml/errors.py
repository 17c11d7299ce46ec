"""The one exception type a user of py_wgml needs to catch, and the kind of it that has a remedy of its own."""


class WgmlError(Exception):
    """Something the caller can act on, said in one line: bad file, unsupported model, lost device, bad argument."""


class ContextError(WgmlError):
    """The conversation is longer than the context."""


MAX_QUOTED = 100
"""Characters of a stranger's string that a message shows."""


def quoted(text: str) -> str:
    """A name that comes from a file, for a message: in quotes, cut, with everything that can't be seen (controls, marks
    that change the direction of text, broken characters) written as an escape."""
    return repr(text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…")


def said(error: BaseException | None, most: int = MAX_QUOTED) -> str:
    """What an exception says, in one line; its type if it says nothing."""
    return shown(str(error), most) or type(error).__name__


def shown(text: str, most: int = MAX_QUOTED) -> str:
    """A sentence that comes from a file or a library, for a message: likewise, but in one line and without quotes."""
    line = " ".join(text[: 4 * most].split())  # more than enough, where it is not white space
    return repr(line if len(line) <= most else line[: most - 1] + "…")[1:-1]
