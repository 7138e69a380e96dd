"""Text of files and servers, made fit for a terminal.

A leaf module: it imports nothing of ours.
"""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    r"""The text on one line, with everything spelled out that is no visible character.

    Control characters (``\x1b`` would start a command to the terminal), ends of lines, characters
    that turn the direction of writing round (``\u202e``) and halves of surrogate pairs come out as
    Python writes them. A backslash stays as it is, so that file names do.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
