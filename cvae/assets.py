"""Where the files beside the code lie: texts, the shipped runs, the classifiers, results, the browser's modules.

In a checkout they are the folder `assets` at its top; in an installed package they lie in `cvae/_assets`.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent  # where there is one: README.md, app.py and pages lie here

ASSETS = CHECKOUT / "assets" if (CHECKOUT / "assets" / "text").is_dir() else PACKAGE / "_assets"
TEXT = ASSETS / "text"
CLASSIFIERS = ASSETS / "classifier"
RESULTS = ASSETS / "results"
EXPLORER = ASSETS / "explorer"
SHARED = ASSETS / "shared"  # what the scripts of the explorer and of the live view have in common
LIVE = ASSETS / "live"
SHIPPED = ASSETS / "gallery"
GALLERY = Path(os.environ.get("CVAE_GALLERY") or SHIPPED)  # the runs that the project ships, or others in their place
README = CHECKOUT / "README.md"
APP = CHECKOUT / "app.py"
ICON = ASSETS / "icon.png"
