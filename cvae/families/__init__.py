"""This package holds the model families, without torch: each file of the folder states one family.

`cvae/families/<id>.py` states a `FAMILY`: the inputs of each network, the formulas, how to make codes. The objective is
in `cvae/models/<id>.py`, on torch, and the words are in assets/text/families/<id>.<language>.json. The command line,
the menus, the networks and the tests use these. (In file names an id has underscores for its dashes.)
"""

from __future__ import annotations

import importlib
import pkgutil

from cvae.families.family import Family
from cvae.options import options_of

__all__ = ["FAMILIES", "Family", "found", "term_key"]


def found(path: list[str], package: str) -> dict[str, Family]:
    """Return the families of a package's modules by id, in the order of the menus.

    Raise `ValueError` if an id differs from its file name, or if two families state the same id or option flag.
    """
    families: dict[str, Family] = {}
    flags: dict[str, str] = {}  # flag, or field, of an option → id of its family
    for module in pkgutil.iter_modules(path):
        family = getattr(importlib.import_module(f"{package}.{module.name}"), "FAMILY", None)
        if family is None:
            continue
        if family.id in families:
            raise ValueError(f"two files state a family {family.id!r}: each needs an id of its own")
        if family.module != module.name:
            raise ValueError(f"{module.name}.py states the family {family.id!r}: the file must be {family.module}.py")
        if {"image", "condition"} <= {*family.decoder_sees, *family.prior_sees}:
            raise ValueError(f"the family {family.id!r} is given a picture and conditions beside z: state one of them")
        for name, option in options_of(family.options).items():
            for stated in (option.flag, name):
                if flags.setdefault(stated, family.id) != family.id:
                    raise ValueError(f"the families {flags[stated]!r} and {family.id!r} both state {stated}")
        families[family.id] = family
    return dict(sorted(families.items(), key=lambda item: (item[1].place, item[0])))


FAMILIES = found(__path__, __name__)


def term_key(term: str) -> str:
    """Return the text key of a family's own term of the loss; an unknown term raises `StopIteration`."""
    return next(f"families.{family.id}.terms.{term}" for family in FAMILIES.values() if term in family.terms)
