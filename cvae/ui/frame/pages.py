"""The pages of the app. One entry here, a file in pages/ and its words are all that a page needs.

Its words lie in assets/text/pages/<id>.<language>.json and are asked for as `<id>.…`. There `page` holds the `title` in
the navigation and, where Start links to the page, `to` (the link) and `why` (the line below it).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page of the app."""

    id: str  # name of its file in pages/, and its path in the address
    icon: str  # a Material symbol
    at_start: bool = True  # whether Start links to it

    @property
    def file(self) -> str:
        """Return its file, as Streamlit names it."""
        return f"pages/{self.id}.py"


PAGES = (  # in the order of the navigation; the first one is what the bare address opens
    Page("start", "home", at_start=False),
    Page("train", "model_training"),
    Page("latent", "scatter_plot"),
    Page("sample", "auto_awesome"),
    Page("compare", "compare"),
    Page("measure", "bar_chart"),
)
