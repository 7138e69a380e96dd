"""Text of files and servers, made fit for a terminal, a message or a file.

A leaf module: it imports nothing of ours.
"""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: Characters of one value, and of one whole line, that a message shows.
MOST_OF_VALUE, MOST_OF_LINE = 120, 2000


def printable(text: str) -> str:
    r"""The text on one line, with everything spelled out that is no visible character.

    Control characters (``\x1b`` would start a command to the terminal), ends of lines, characters
    that turn the direction of writing round (``\u202e``) and halves of surrogate pairs come out as
    Python writes them. A backslash stays as it is, so that file names do.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _spelled(c) for c in text)


def shown(value: object, most: int = MOST_OF_VALUE) -> str:
    """A value as Python writes it, cut where it is longer than `most` characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a whole number of too many digits, a list too deep
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def cut(line: str, most: int = MOST_OF_LINE) -> str:
    """A line of at most `most` characters: what is too much goes from the middle.

    The beginning says what is wrong and where, the end what to do.
    """
    if len(line) <= most:
        return line
    gap = " [...] "
    end = most // 4
    return line[: most - end - len(gap)] + gap + line[-end:]


def storable(text: str) -> str:
    """The text without what UTF-8 cannot write: unpaired surrogates become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _spelled(character: str) -> str:
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
