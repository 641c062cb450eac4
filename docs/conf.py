"""The site that `make docs` builds: Markdown pages, maths as MathML, and no network needed to read it."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "truetoll"
author = "The truetoll authors"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_dmath_allow_digits = False  # "$2,000" is money
myst_heading_anchors = 3

html_theme = "furo"
html_title = "truetoll"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_copyright = False


def show_math(writer: Any, node: nodes.math | nodes.math_block) -> None:
    """Write a formula as MathML, which browsers draw by themselves."""
    block = isinstance(node, nodes.math_block)
    writer.body.append(tex2mathml(node.astext(), as_block=block))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make MathML known to Sphinx, and tables as text."""
    app.add_lexer("csv", TextLexer)
    app.add_lexer("bibtex", TextLexer)
    app.add_html_math_renderer("mathml", inline_renderers=(show_math, None), block_renderers=(show_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
