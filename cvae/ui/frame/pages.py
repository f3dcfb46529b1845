"""List the pages of the app. A page needs one entry here, a file in pages/ and its words.

Its words are in assets/text/pages/<id>.<language>.json, under keys `<id>.…`. There `page` holds the `title` in the
navigation and, if Start links to the page, `to` (the link) and `why` (the line below it).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A Page describes a page of the app."""

    id: str  # the name of its file in pages/, and its path in the address
    icon: str  # a Material symbol
    at_start: bool = True  # whether Start links to it

    @property
    def file(self) -> str:
        """Return the path of its file, relative to app.py."""
        return f"pages/{self.id}.py"


PAGES = (  # in the order of the navigation; the address without a path opens the first
    Page("start", "home", at_start=False),
    Page("train", "model_training"),
    Page("latent", "scatter_plot"),
    Page("sample", "auto_awesome"),
    Page("compare", "compare"),
    Page("measure", "bar_chart"),
)
