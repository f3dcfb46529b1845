"""Run the app: `streamlit run app.py`. Each page is a thin file in pages/."""

from __future__ import annotations

import streamlit as st

from cvae.assets import ICON
from cvae.ui.frame import navigation, state
from cvae.ui.frame.pages import PAGES
from cvae.ui.frame.text import t
from cvae.ui.parts import runs

STYLE = """
.stMainBlockContainer { padding-top: 4rem; padding-bottom: 3rem; }
.stMainBlockContainer h1 { padding: 0; font-size: 1.6rem; }
a:focus-visible { outline: 2px solid currentColor !important; outline-offset: 1px; }
.st-key-script, .st-key-explorer-parts { display: none; }
.st-key-language-bar { position: fixed; top: 0.85rem; right: 4rem; z-index: 999991; width: auto; }
@media (max-width: 768px) { .st-key-language-bar { right: 1rem; z-index: 999990; } } /* below the open menu */
[data-testid=stMarkdownContainer]:has(> table) { overflow-x: auto; }
.st-key-explained td:first-child { min-width: 8rem; }
.st-key-explained td:nth-last-child(2) { white-space: nowrap; }
.st-key-explained td:last-child { min-width: 16rem; }
"""
# Streamlit makes every change of the address a step for Back; this script keeps only changes of the page. It also notes
# when the visitor leaves a page, so that assets/live/main.js stops asking: an answer would clear the next page.
SCRIPT = """
if (!history.byPage) {
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  const leave = () => (history.leftAt = performance.now());
  history.byPage = true;
  history.pushState = (state, title, url) => {
    const samePage = new URL(url, location.href).pathname === location.pathname;
    if (!samePage) delete history.leftAt;
    (samePage ? replace : push)(state, title, url);
  };
  addEventListener("click", (event) => event.target.closest?.("a[href]") && leave(), true);
  addEventListener("popstate", leave, true);
}
"""

navigation.mark()
st.set_page_config(page_title=t("app.title"), page_icon=str(ICON), layout="wide")
st.html(f"<style>{STYLE}</style>")
with st.container(key="script"):
    st.html(f"<script>{SCRIPT}</script>", unsafe_allow_javascript=True)
page = st.navigation(
    [st.Page(page.file, title=t(f"pages.{page.id}"), default=page is PAGES[0]) for page in PAGES],
    position="top",
)
state.remember(lang=state.language())
state.language_choice()
st.title(page.title if page.url_path else t("start.title"), anchor=False)
try:
    with runs.guard():
        page.run()
finally:
    state.flush()
