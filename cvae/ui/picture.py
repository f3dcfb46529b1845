"""Pictures on a page: grids of images as the theme has them, with a text for who does not see them, and downloads."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st
from numpy.typing import NDArray

from cvae.pictures import grid, png
from cvae.ui.text import t

Width = int | Literal["stretch", "content"]


def paper() -> bool:
    """Whether grey images are ink on paper, as in the light theme, rather than light on black."""
    return st.context.theme.type != "dark"


def show(
    images: NDArray[Any],
    alt: str,
    *,
    columns: int | None = None,
    gap: int = 1,
    caption: str | None = None,
    width: Width = "stretch",
) -> bytes:
    """Images (N, C, H, W) or (rows, columns, C, H, W) as one picture; gives its PNG file."""
    file = png(grid(images, columns, gap=gap, paper=paper()), 1200)
    st.image(file, caption=caption, width=width, alt=alt)
    return file


def download(file: bytes, name: str, kind: Literal["png", "gif"] = "png") -> None:
    """A button that saves a picture, without a rerun of the page."""
    st.download_button(
        t("pictures.download", kind=kind.upper()), file, f"{name}.{kind}", f"image/{kind}",
        key=f"download-{name}", on_click="ignore", icon=":material/download:",
    )  # fmt: skip
