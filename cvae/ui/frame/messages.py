"""What a page says about what it shows: its formula, what to notice, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cvae.ui.frame.text import escape_markdown, t, translate_error


def problem(what: BaseException | str) -> None:
    """Show what went wrong, an error or words of this language, in a box."""
    words = what if isinstance(what, str) else translate_error(what)
    st.error(escape_markdown(words), icon=":material/error:")


def formula(*lines: str) -> None:
    """Formulas, one below the other."""
    st.latex(r" \\ ".join(lines) if len(lines) == 1 else r"\begin{gathered}" + r" \\ ".join(lines) + r"\end{gathered}")


def notice(title: str, key: str, formulas: Sequence[str] = ()) -> None:
    """Show a heading, formulas, and a short list of what to look for."""
    st.subheader(title, anchor=False)
    if formulas:
        formula(*formulas)
    st.markdown(t(key))
