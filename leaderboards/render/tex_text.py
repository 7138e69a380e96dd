"""Any text as ASCII that TeX sets as it is."""

import re
import unicodedata

from mnpo.printable import printable

_SPECIAL = {
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "$": "\\$",
    "&": "\\&",
    "#": "\\#",
    "%": "\\%",
    "_": "\\_",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\char34{}",
    # Fonts have one sign for two of them in a row, and for ?` and !`.
    "'": "'{}",
    "`": "{}`{}",
}
_JOINED = re.compile("-(?=-)|,(?=,)")
_KNOWN = {
    "–": "\\textendash{}",
    "—": "\\textemdash{}",
    "…": "\\ldots{}",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "×": "$\\times$",
    "±": "$\\pm$",
    "≤": "$\\leq$",
    "≥": "$\\geq$",
    "−": "$-$",
    "·": "$\\cdot$",
    "→": "$\\rightarrow$",
    "↑": "$\\uparrow$",
    "↓": "$\\downarrow$",
    "∞": "$\\infty$",
    "√": "$\\surd$",
    "§": "\\S{}",
    "ß": "\\ss{}",
    "æ": "\\ae{}",
    "Æ": "\\AE{}",
    "ø": "\\o{}",
    "Ø": "\\O{}",
    "ł": "\\l{}",
    "Ł": "\\L{}",
    "ı": "\\i{}",
}
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma "
            "tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
        ).split(),
        strict=True,
    )
)
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
    "\u0328": "k",
}


def tex(text: str) -> str:
    """The text, with TeX's special characters escaped.

    Letters with accents, Greek letters and common signs become commands; any other character that
    is not ASCII, which TeX may have no font for, is spelled out as ``[U+4E2D]``. Control
    characters are spelled out as on a terminal.
    """
    return _JOINED.sub(lambda sign: sign[0] + "{}", "".join(map(_character, printable(text))))


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character.isascii():
        return character
    if character in _KNOWN:
        return _KNOWN[character]
    if character in _GREEK:
        return f"$\\{_GREEK[character]}$"
    parts = unicodedata.normalize("NFD", character)
    if len(parts) == 2 and parts[0].isascii() and parts[0].isalpha() and parts[1] in _ACCENTS:
        return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    return f"[U+{ord(character):04X}]"
