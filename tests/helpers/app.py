"""Provide what a test asks of a page of the app that runs as a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from cvae.ui.frame.text import translate

Open = Callable[..., AppTest]


def checked(app: AppTest) -> AppTest:
    """Return the app; an exception on its page fails the test."""
    assert not app.exception, [error.message for error in app.exception]
    return app


def sentences(app: AppTest) -> str:
    """Return what the page says in boxes."""
    return "\n".join(str(box.value) for kind in (app.error, app.warning, app.info) for box in kind)


def written(app: AppTest) -> str:
    """Return what the page says outside boxes."""
    return "\n".join(str(element.value) for element in (*app.markdown, *app.caption, *app.subheader))


def en(key: str, **values: Any) -> str:
    """Return the English words of a key."""
    return translate("en", key, **values)


def button(app: AppTest, label: str) -> Any:
    """Return the button with this label."""
    return next(b for b in app.button if b.label == label)


def field(app: AppTest, key: str) -> Any:
    """Return the widget of a setting of a training."""
    widgets = (*app.selectbox, *app.number_input, *app.text_input, *app.toggle)
    return next(widget for widget in widgets if widget.key == f"train.{key}")
