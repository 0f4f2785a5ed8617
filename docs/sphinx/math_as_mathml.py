"""Mathematics as MathML, which every browser draws by itself: no script and no network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

__all__ = ["mathml"]

WORDS = re.compile(r"(\\text\{[^{}]*\})")
PRIMES = re.compile(r"('+)(?:\^(?:\{([^{}]*)\}|(\\?\w)))?")
PRIME = r"\prime "
FUNCTION = r'<mo form="prefix" lspace="0.17em" rspace="0.1em">\1</mo>'
AS_TEX_SPACES = (
    (re.compile(r"<mi>(log|exp|det|max|min)</mi>"), FUNCTION),
    (
        re.compile(r'<mo stretchy="false">\|</mo>'),
        '<mo stretchy="false" lspace="0em" rspace="0em">|</mo>',
    ),
    (re.compile(r'class="capital-greek"'), 'mathvariant="normal"'),
)


def mathml(tex: str, *, as_block: bool = False) -> str:
    r"""Return a formula as MathML, with the spaces and the upright capitals of TeX.

    Parameters
    ----------
    tex : str
        As between dollar signs.
    as_block : bool
        Whether it stands on lines of its own.

    Examples
    --------
    >>> mathml(r"X'^{-1}").count("\N{PRIME}")
    1
    """
    parts = WORDS.split(tex)
    primed = "".join(one if WORDS.match(one) else PRIMES.sub(_superscript, one) for one in parts)
    found = tex2mathml(primed, as_block=as_block)
    for pattern, replacement in AS_TEX_SPACES:
        found = pattern.sub(replacement, found)
    return found


def _superscript(found: re.Match[str]) -> str:
    """Write an apostrophe as TeX reads it: as a superscript, together with one that follows."""
    primes, group, single = found.groups()
    return f"^{{{PRIME * len(primes)}{group or single or ''}}}"


def _inline(writer: HTML5Translator, node: nodes.math) -> None:
    writer.body.append(mathml(node.astext()))
    raise SkipNode


def _block(writer: HTML5Translator, node: nodes.math_block) -> None:
    formula = mathml(node.astext(), as_block=True)
    writer.body.append(f'<div class="math" tabindex="0">{formula}</div>\n')
    raise SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(_inline, None), block_renderers=(_block, None)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
