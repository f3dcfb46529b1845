"""Show grids of images in the colours of the theme, with a text for readers who cannot see them, and downloads."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st
from numpy.typing import NDArray

from cvae.explore.pictures import grid, png
from cvae.ui.frame.text import t

TILE = 64  # about the side of an image in pixels, more than on the screen

Width = int | Literal["stretch", "content"]


def paper() -> bool:
    """Return whether to draw grey images dark on white, as in the light theme, instead of light on black."""
    return st.context.theme.type != "dark"


def show(
    images: NDArray[Any],
    alt: str,
    *,
    columns: int | None = None,
    gap: int = 2,
    caption: str | None = None,
    width: Width = "stretch",
) -> bytes:
    """Show images (N, C, H, W) or (rows, columns, C, H, W) as one picture; return its PNG file."""
    factor = max(1, TILE // max(images.shape[-2:]))
    large = images.repeat(factor, axis=-1).repeat(factor, axis=-2)
    file = png(grid(large, columns, gap=gap, paper=paper()))
    st.image(file, caption=caption, width=width, alt=alt, output_format="PNG")
    return file


def download(file: bytes, name: str, kind: Literal["png", "gif"] = "png") -> None:
    """Show a button that saves a picture without a rerun of the page."""
    st.download_button(
        t("pictures.download", kind=kind.upper()), file, f"{name}.{kind}", f"image/{kind}",
        key=f"download-{name}", on_click="ignore", icon=":material/download:",
    )  # fmt: skip
