"""The bounds in requirements.txt: each has an upper one, and what is installed here, and so is tested, lies within."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def requirements(file: str) -> dict[str, Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines())
    return {canonicalize_name(found.name): found for found in map(Requirement, filter(None, lines))}


NEEDED = requirements("requirements.txt")
TESTED = requirements(".ci/constraints.txt")


@pytest.mark.parametrize("name", NEEDED)
def test_every_dependency_has_bounds_that_are_tested(name: str) -> None:
    bounds = NEEDED[name].specifier
    assert {bound.operator for bound in bounds} == {">=", "<"}
    (exact,) = TESTED[name].specifier
    assert exact.operator == "=="
    assert bounds.contains(exact.version), f"{name} {exact.version} in .ci/constraints.txt is not what may be installed"
    assert bounds.contains(metadata.version(name)), f"the tests run with {name} {metadata.version(name)}"
