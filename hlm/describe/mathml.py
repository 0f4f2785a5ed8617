r"""LaTeX of the kind that descriptions have -> MathML, which browsers show without a network.

Known are letters, numbers and operators, ``^``, ``_`` and braces, ``\frac``, ``\sqrt``, ``\text``,
``\mathrm``, ``\operatorname``, ``\bar``, ``\hat``, ``\left`` and ``\right``, ``pmatrix``, and the
names in `LETTERS` and `SIGNS`. Anything else is refused: it would be shown wrong.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from hlm.tables.latex import unescaped

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LETTERS", "SIGNS", "to_mathml"]

LETTERS = {
    "alpha": "\N{GREEK SMALL LETTER ALPHA}",
    "beta": "\N{GREEK SMALL LETTER BETA}",
    "lambda": "\N{GREEK SMALL LETTER LAMDA}",
    "mu": "\N{GREEK SMALL LETTER MU}",
    "phi": "\N{GREEK SMALL LETTER PHI}",
    "pi": "\N{GREEK SMALL LETTER PI}",
    "rho": "\N{GREEK SMALL LETTER RHO}",
    "sigma": "\N{GREEK SMALL LETTER SIGMA}",
    "tau": "\N{GREEK SMALL LETTER TAU}",
    "Phi": "\N{GREEK CAPITAL LETTER PHI}",
    "Psi": "\N{GREEK CAPITAL LETTER PSI}",
    "infty": "\N{INFINITY}",
}
"""Commands that are a letter."""

SIGNS = {
    "sim": "\N{TILDE OPERATOR}",
    "le": "\N{LESS-THAN OR EQUAL TO}",
    "ge": "\N{GREATER-THAN OR EQUAL TO}",
    "ne": "\N{NOT EQUAL TO}",
    "cdot": "\N{DOT OPERATOR}",
    "dots": "\N{HORIZONTAL ELLIPSIS}",
    "prime": "\N{PRIME}",
    **{sign: sign for sign in "{}%_|"},
}
"""Commands that are an operator."""

_SPACES = {",": "0.17em", ";": "0.28em", "quad": "1em", "qquad": "2em"}
_ACCENTS = {"bar": "\N{MACRON}", "hat": "^"}
_SPACE = "\N{NO-BREAK SPACE}"
_MINUS, _NEXT_ROW, _END = "\N{MINUS SIGN}", "\\\\", "\\end"
_UPRIGHT = '<mi mathvariant="normal">'
_NAMES = ("mathrm", "operatorname", "text")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)


def to_mathml(tex: str | Sequence[str], *, display: bool = False) -> str:
    r"""Write LaTeX as MathML.

    Parameters
    ----------
    tex : str or sequence of str
        Several are set below one another, aligned at their `&`.
    display : bool
        Whether it stands on a line of its own.

    Raises
    ------
    ValueError
        It has a command that is not known, or braces that do not match.

    Examples
    --------
    >>> to_mathml(r"x_i^2")
    '<math><msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup></math>'
    """
    opening = '<math display="block">' if display else "<math>"
    if isinstance(tex, str):
        return f"{opening}{_Reader(tex).whole()}</math>"
    # Of a line the first & only: the others are those of a matrix
    rows = [[_Reader(cell).whole() for cell in line.split("&", 1)] for line in tex]
    sides = ("right", "left")
    body = "".join(
        "<mtr>"
        + "".join(
            f'<mtd style="text-align: {sides[place % 2]}"><mrow>{cell}</mrow></mtd>'
            for place, cell in enumerate(row)
        )
        + "</mtr>"
        for row in rows
    )
    return f"{opening}<mtable>{body}</mtable></math>"


class _Reader:
    """The tokens of a formula, read from left to right."""

    def __init__(self, tex: str) -> None:
        self.tokens = _TOKEN.findall(tex)
        self.tex = tex
        self.at = 0

    def whole(self) -> str:
        found = self.row(())
        if self.at < len(self.tokens):
            raise ValueError(f"{self.tokens[self.at]!r} closes nothing in {self.tex!r}")
        return found

    def row(self, ends: tuple[str, ...]) -> str:
        """Read up to one of the ends, which stays to be read, or to a brace that closes."""
        found = []
        while (token := self.peek()) and token not in (*ends, "}"):
            found.append(self.scripted())
        return "".join(found)

    def peek(self) -> str:
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise ValueError(f"no {wanted or 'argument'} in {self.tex!r}")
        self.at += 1
        return token

    def scripted(self) -> str:
        """Read an atom with what stands below and above it."""
        base, scripts = self.atom(), dict[str, str]()
        while self.peek() in ("^", "_"):
            sign = self.next()
            scripts[sign] = self.atom()
        if len(scripts) == 2:
            return f"<msubsup>{base}{scripts['_']}{scripts['^']}</msubsup>"
        for sign, one in scripts.items():
            tag = "msup" if sign == "^" else "msub"
            return f"<{tag}>{base}{one}</{tag}>"
        return base

    def atom(self) -> str:
        token = self.next()
        if token == "{":
            inside = self.row(())
            self.next("}")
            return f"<mrow>{inside}</mrow>"
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        if token[0] == "\\":
            return self.command(token[1:])
        if token == "|":
            return '<mo stretchy="false">|</mo>'
        return f"<mo>{escape(_MINUS if token == '-' else token)}</mo>"

    def command(self, name: str) -> str:
        if name in LETTERS:
            return f"<mi>{LETTERS[name]}</mi>"
        if name in SIGNS:
            return f"<mo>{SIGNS[name]}</mo>"
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}"/>'
        if name in _NAMES:
            words = escape(unescaped(self.verbatim()))
            if name == "text":  # spaces at the ends would be lost
                return f"<mtext>{words.replace(' ', _SPACE)}</mtext>"
            return f"{_UPRIGHT}{words}</mi>"
        if name == "frac":
            return f"<mfrac>{self.atom()}{self.atom()}</mfrac>"
        if name == "sqrt":
            return f"<msqrt>{self.atom()}</msqrt>"
        if name in _ACCENTS:
            return f'<mover accent="true">{self.atom()}<mo>{_ACCENTS[name]}</mo></mover>'
        if name in ("left", "right"):
            return f"<mo>{escape(self.next())}</mo>"
        if name == "begin":
            return self.matrix()
        raise ValueError(f"there is no \\{name} in what MathML is made of: {self.tex!r}")

    def matrix(self) -> str:
        kind = self.verbatim()
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(f"<mtd>{self.row(('&', _NEXT_ROW, _END))}</mtd>")
            match self.next():
                case token if token == _NEXT_ROW:
                    rows.append([])
                case token if token == _END:
                    break
        if self.verbatim() != kind or kind != "pmatrix":
            raise ValueError(f"no pmatrix in {self.tex!r}")
        body = "".join(f"<mtr>{''.join(row)}</mtr>" for row in rows)
        return f"<mrow><mo>(</mo><mtable>{body}</mtable><mo>)</mo></mrow>"

    def verbatim(self) -> str:
        """Read what is between braces as it stands."""
        self.next("{")
        found: list[str] = []
        depth = 1
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            depth += (token == "{") - (token == "}")
            if not depth:
                return "".join(found)
            found.append(token)
        raise ValueError(f"a brace is not closed in {self.tex!r}")
