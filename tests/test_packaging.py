"""What `pip install .` takes: every folder of the package, and the assets."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # tomllib is not in Python 3.10


def test_every_package_is_listed_and_the_assets_with_it() -> None:
    listed = re.findall(r'"([\w.]+)"', PROJECT.split("packages = [")[1].split("]")[0])
    there = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "cvae").rglob("__init__.py")}
    assert set(listed) == there | {"cvae._assets"}
    assert 'package-dir = { "cvae._assets" = "assets" }' in PROJECT


def test_assets_are_found_by_one_module_alone() -> None:
    """`cvae.assets` knows whether this is a checkout or an installed package."""
    for file in [*(ROOT / "cvae").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]:
        if file != ROOT / "cvae" / "assets.py":
            assert "__file__)" not in file.read_text(encoding="utf-8"), file
