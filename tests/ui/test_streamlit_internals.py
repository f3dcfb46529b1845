"""What the app uses of Streamlit beyond its documented interface: a test for each, whose message says what it is for.

Another Streamlit than the one in requirements.txt is taken up when all of these, and the browser tests, pass with it.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest

from cvae.assets import EXPLORER, LIVE, SHARED

ROOT = Path(__file__).parents[2]
STATIC = Path(st.__file__).parent / "static" / "static" / "js"


@functools.cache
def frontend() -> str:
    """The code of Streamlit's own part of the browser, compressed as it is shipped."""
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in STATIC.glob("index.*.js"))


# --- in Python ------------------------------------------------------------------------------------------------------


def test_pages_manager_keeps_what_app_py_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pages").mkdir()
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    PagesManager(str(tmp_path / "app.py"))
    assert PagesManager.uses_pages_directory is True, (
        "PagesManager.uses_pages_directory no longer tells `require_app` that Streamlit runs a page on its own."
    )
    PagesManager.uses_pages_directory = False
    PagesManager(str(tmp_path / "app.py"))
    assert PagesManager.uses_pages_directory is False, (
        "PagesManager.uses_pages_directory = False no longer lasts: app.py does not frame every page (`mark`)."
    )


def test_a_page_that_runs_on_its_own_can_run_app_py(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text("import streamlit as st\nst.write('frame')\n", encoding="utf-8")
    page = f"exec(compile(open({str(app)!r}).read(), {str(app)!r}, 'exec'))\nimport streamlit as st\nst.stop()\n"
    shown = [element.value for element in AppTest.from_string(page).run().markdown]
    assert shown == ["frame"], "a script run by `exec` within a page no longer writes to it (`navigation.require_app`)."


@pytest.mark.parametrize(
    ("field", "what"),
    [
        (
            "fragment_ids_this_run",
            "`state.link` no longer knows that a fragment runs alone, without app.py",
        ),
        ("is_history_navigation", "`state.send` no longer knows that the browser's Back brought the reader here"),
    ],
)
def test_the_context_of_a_script_has(field: str, what: str) -> None:
    fields = {one.name for one in dataclasses.fields(ScriptRunContext)}
    assert field in fields, f"ScriptRunContext.{field} is gone: {what}."


def test_the_context_of_a_whole_run_names_no_fragment() -> None:
    def script() -> None:
        import streamlit as st
        from streamlit.runtime.scriptrunner import get_script_run_ctx

        context = get_script_run_ctx()
        assert context is not None
        st.text(f"{bool(context.fragment_ids_this_run)} {context.is_history_navigation}")

    (text,) = AppTest.from_function(script).run().text
    assert text.value == "False False", (
        "in a run of the whole app ScriptRunContext.fragment_ids_this_run is no longer empty, or every run passes for a"
        " step Back: `state.link` would write addresses too early, or `state.send` none."
    )
    assert get_script_run_ctx(suppress_warning=True) is None, "get_script_run_ctx finds a context where none runs."


def test_the_browser_says_that_the_reader_went_back() -> None:
    assert "is_history_navigation" in ClientState.DESCRIPTOR.fields_by_name, (
        "ClientState.is_history_navigation is gone: the server is not told of the browser's Back (`state.send`)."
    )


def test_data_in_a_list_cost_no_data_frames() -> None:
    code = (
        "import sys; from streamlit.components.v2.bidi_component import serialization as s;"
        "from streamlit.proto.BidiComponent_pb2 import BidiComponent as P; p = P();"
        "s.serialize_mixed_data([{'a': [1.0] * 9}], p); sys.exit(f'pandas' if 'pandas' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, (
        f"a component's data in a list make Streamlit import pandas, which delays the first page: {done.stderr[-300:]}"
    )


def test_models_that_the_browser_has_are_not_sent_again() -> None:
    assert config.get_option("global.maxCachedMessageAge") is not None, (
        "the option global.maxCachedMessageAge (.streamlit/config.toml) is gone: large models are sent again too soon."
    )


def test_a_style_alone_takes_no_room() -> None:
    app = AppTest.from_function(lambda: __import__("streamlit").html("<style>a { color: red; }</style>")).run()
    assert not app.main.children, "st.html no longer keeps a lone <style> out of the page: app.py would leave a gap."


# --- in the browser -------------------------------------------------------------------------------------------------


def test_the_address_changes_by_push_state() -> None:
    assert re.search(r"window\.history\.pushState\(\{\},", frontend()), (
        "Streamlit no longer calls window.history.pushState: the patch in app.py, which makes only another page a step"
        " for Back, and forgets `history.leftAt`, has no effect."
    )


def test_a_new_session_of_another_page_clears_the_elements() -> None:
    handler = frontend().partition("this.handleNewSession=")[2][:4000]
    assert "currentPageScriptHash" in handler, (
        "handleNewSession no longer compares pages: what assets/live/main.js and app.py do with `history.leftAt`, so"
        " that a page that is being left asks for nothing more, may not be needed, or not be enough."
    )
    assert "clearAppState" in handler, "handleNewSession no longer clears the page that follows (`history.leftAt`)."


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("stMainBlockContainer", "the room above and below a page"),
        ("stMarkdownContainer", "that wide tables scroll"),
        ("st-key-", "the language bar, the hidden script and the explained table, by the key of their containers"),
    ],
)
def test_the_style_of_app_py_finds_what_it_is_for(name: str, use: str) -> None:
    assert name in (ROOT / "app.py").read_text(encoding="utf-8"), f"{name} is not used any more: drop this test's row."
    assert name in frontend(), f"Streamlit's elements have no {name} any more, by which app.py sets {use}."


def test_the_theme_is_given_to_components_as_css_variables() -> None:
    used = set()
    for folder in (EXPLORER, LIVE, SHARED):
        for file in [*folder.rglob("*.css"), *folder.rglob("*.js")]:
            text = file.read_text(encoding="utf-8")
            used |= set(re.findall(r"var\(--st-([a-z-]+)", text))
            if file.name == "theme.js":
                used |= set(re.findall(r'value\("([a-z-]+)"', text))
    assert {"background-color", "text-color", "primary-color"} <= used
    everything = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in STATIC.glob("*.js"))
    assert "--st-" in everything, "components get no theme any more as variables --st-… (assets/shared/theme.js)."
    camel = {re.sub(r"-(\w)", lambda found: found[1].upper(), name) for name in used}
    gone = {name for name in camel if not re.search(rf"\b{name}\b", everything)}
    assert not gone, f"Streamlit's theme has no {', '.join(sorted(gone))} any more, of which components take colours."
