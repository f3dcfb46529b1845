"""Show formulas, notices and problems on a page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cvae.ui.frame.text import escape_markdown, translate_error


def problem(what: BaseException | str) -> None:
    """Show an error, or a sentence in this session's language, in a box."""
    words = what if isinstance(what, str) else translate_error(what)
    st.error(escape_markdown(words), icon=":material/error:")


def formula(*lines: str) -> None:
    """Show formulas, one below the other."""
    st.latex(r" \\ ".join(lines) if len(lines) == 1 else r"\begin{gathered}" + r" \\ ".join(lines) + r"\end{gathered}")


def notice(title: str, text: str, formulas: Sequence[str] = ()) -> None:
    """Show a heading, formulas, and a text in Markdown: a short list of things to notice."""
    st.subheader(title, anchor=False)
    if formulas:
        formula(*formulas)
    st.markdown(text)
