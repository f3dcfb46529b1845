"""These are the paths of the files beside the code: texts, shipped runs, classifiers, results, browser modules.

In a checkout the files are in the folder `assets` at its top; in an installed package they are in `cvae/_assets`.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent  # a checkout has README.md, app.py and pages here

ASSETS = CHECKOUT / "assets" if (CHECKOUT / "assets" / "text").is_dir() else PACKAGE / "_assets"
TEXT = ASSETS / "text"
CLASSIFIERS = ASSETS / "classifier"
RESULTS = ASSETS / "results"
EXPLORER = ASSETS / "explorer"
PART = ASSETS / "part"  # the component that keeps a model for the explorer
SHARED = ASSETS / "shared"  # scripts that the explorer and the live view share
LIVE = ASSETS / "live"
SHIPPED = ASSETS / "gallery"
GALLERY = Path(os.environ.get("CVAE_GALLERY") or SHIPPED)  # the shipped runs, or a user's in their place
README = CHECKOUT / "README.md"
APP = CHECKOUT / "app.py"
ICON = ASSETS / "icon.png"
