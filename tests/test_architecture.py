"""The package's own architecture, by its imports; and that of the networks, by their shapes at every size of image."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from helpers.engine import tiny_model

from cvae.architecture import architecture
from cvae.families import FAMILIES
from cvae.models import build

ROOT = Path(__file__).parents[1]

# From the bottom up: a folder, or a module at the top, imports from itself and from those that stand before it.
ORDER = (
    *("assets", "numbers", "errors", "options", "conditions", "families", "config", "architecture"),
    *("data", "runs", "explore", "browser", "plots", "results"),
    *("models", "training", "measuring"),
    *("", "cli", "__main__", "ui", "pages", "app"),  # "": the package itself
)
TORCH = ("models", "training", "measuring")
UI_ORDER = ("frame", "parts", "components", "pages")
AT_TOP = 10  # modules of the package itself at most


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of the project, by its dotted name."""
    files = [*(ROOT / "cvae").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]
    named = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}
    return {name.removesuffix(".__init__"): file for name, file in named.items()}


def imports(nodes: list[ast.stmt], everywhere: bool) -> Iterator[str]:
    """What the statements import: on the way in, or also within functions. Never what is for type checkers alone."""
    for node in nodes:
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from imports(node.orelse, everywhere)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not everywhere:
                pass
            case _:
                for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                    yield from imports(getattr(node, field, []), everywhere)


@functools.cache
def imported(name: str, everywhere: bool = False) -> frozenset[str]:
    """The modules that a module imports: the project's own in full, of others the first part of the name."""
    found = set()
    for target in imports(ast.parse(modules()[name].read_text(encoding="utf-8")).body, everywhere):
        own = [m for m in (target, target.rpartition(".")[0]) if m in modules()]
        found.add(own[0] if own else target.partition(".")[0])
    return frozenset(found - {name})


def behind(name: str) -> set[str]:
    """Everything that importing a module imports."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for target in imported(waiting.pop()) - found:
            found.add(target)
            if target in modules():
                waiting.append(target)
    return found


def part(name: str) -> str:
    """The part of the project that a module belongs to: `cvae.models.vae` → models."""
    first, _, rest = name.partition(".")
    return rest.partition(".")[0] if first == "cvae" else first


def place(name: str) -> int:
    assert part(name) in ORDER, f"{name} has no place in ORDER"
    return ORDER.index(part(name))


def test_imports_go_downward():
    upward = [
        (name, target)
        for name in modules()
        for target in imported(name, everywhere=True) & modules().keys()
        if place(target) > place(name)
        and not (part(name) == "explore" and part(target) == "models")  # for type checkers alone
    ]
    assert upward == []


def test_imports_within_the_app_go_downward():
    rooms = {name: UI_ORDER.index(name.split(".")[2]) for name in modules() if name.startswith("cvae.ui.")}
    upward = [
        (name, target)
        for name, room in rooms.items()
        for target in imported(name, everywhere=True) & rooms.keys()
        if rooms[target] > room
    ]
    assert upward == []


def test_no_module_imports_itself_by_a_detour():
    for name in modules():
        assert name not in behind(name)


def test_torch_is_a_property_of_the_folder():
    """It takes seconds to import: no page, no menu and no reader of a run should wait for it."""
    for name in modules():
        if part(name) in TORCH:
            continue
        assert not behind(name) & {"torch", "torchvision"}, name
        if part(name) != "cli":
            own = imported(name, everywhere=True) & modules().keys()
            assert not {part(target) for target in own} & set(TORCH), f"{name} imports what needs torch"
            assert "torch" not in imported(name, everywhere=True), name


def test_only_the_app_imports_streamlit():
    outside = {name for name in modules() if part(name) not in ("ui", "pages", "app")}
    assert [name for name in outside if "streamlit" in imported(name, everywhere=True)] == []


def test_the_top_of_the_package_is_small():
    at_top = {path.name for path in (ROOT / "cvae").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert len(at_top) <= AT_TOP


def test_these_checks_see_what_they_should():
    assert {"torch", "cvae.training.step", "cvae.runs.folder"} <= imported("cvae.training.loop")
    assert "torch" in behind("cvae.models.vae")
    assert "cvae.training.loop" in imported("cvae.cli.training", everywhere=True) - imported("cvae.cli.training")
    assert "cvae.models" not in imported("cvae.explore.inference")  # it is imported there for type checkers alone


# --- networks


def sizes() -> Iterator[tuple[int, int]]:
    """Every side from 8 to 64: square, and beside one that shrinks as it grows."""
    for side in range(8, 65):
        yield side, side
        yield side, 72 - side


@pytest.mark.parametrize(("channels", "widths"), [(1, (16, 32)), (3, (4, 4, 4, 4, 4, 4))])
def test_convolutions_lead_to_a_code_and_back_at_every_size(channels: int, widths: tuple[int, ...]):
    for height, width in sizes():
        shape = (channels, height, width)
        with torch.device("meta"):  # shapes without numbers
            model = build(tiny_model(net="conv", channels=widths, image_shape=shape))
            assert model.encode(torch.empty(2, *shape)).mean.shape == (2, 2)
            assert model.decode(torch.empty(2, 2)).shape == (2, *shape)


def test_convolutions_stop_before_nothing_is_left():
    for (height, width), given in itertools.product(sizes(), ((16,), (16, 32), (8,) * 6)):
        trunk = architecture(tiny_model(net="conv", channels=given, image_shape=(1, height, width)))["encoder"].trunk
        taken = sum(op["op"] == "conv2d" for op in trunk)
        assert taken == min(len(given), min(height, width).bit_length() - 2)
        assert min(height, width) >> taken >= 2


def test_the_decoder_mirrors_the_encoder():
    networks = architecture(tiny_model(net="conv", hidden=(30, 20), channels=(4, 8), image_shape=(3, 28, 20)))
    into = [(op["in"], op["out"]) for op in (*networks["encoder"].trunk, *networks["encoder"].head) if "in" in op]
    out = [(op["out"], op["in"]) for op in reversed(networks["decoder"].head) if "in" in op]
    assert into[:-1] == out[:-1]
    assert into[-1] == (20, 4)  # mean and log-variance of two dimensions
    assert out[-1] == (20, 2)


def test_networks_are_plain_json():
    import json

    for network in architecture(tiny_model("cvae-predictive", net="conv")).values():
        assert json.loads(json.dumps(network.to_json())) == network.to_json()


@pytest.mark.parametrize("family", FAMILIES)
def test_an_encoder_ends_in_a_gaussian_or_where_there_is_no_prior_in_a_code(family: str):
    networks = architecture(tiny_model(family, latent_dim=3))
    outputs = {
        role: next(op["out"] for op in reversed(network.head) if "out" in op) for role, network in networks.items()
    }
    assert outputs["encoder"] == (3 if FAMILIES[family].prior == "none" else 6)
    assert outputs.get("prior_net", 6) == 6
