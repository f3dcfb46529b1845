"""What a model is given beside z: each kind by itself, several side by side, and a new kind, added."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.data import complaint

from cvae.conditions import KINDS, ClassCondition, Condition, ImageCondition, joined, label_place, vectors
from cvae.config import ModelConfig

ROOT = Path(__file__).parents[1]
LABEL = ClassCondition("label", ("a", "b", "c"))
SIDE = ClassCondition("side", ("left", "right"))


@pytest.mark.parametrize("condition", [LABEL, ImageCondition("image", (1, 9, 8), 2), ImageCondition("image")])
def test_json_gives_an_equal_condition(condition: Condition) -> None:
    assert Condition.from_json(json.loads(json.dumps(condition.to_json()))) == condition


@pytest.mark.parametrize(
    "values",
    [None, [], {}, {"kind": "colour", "name": "x"}, {"kind": "class"}, {"kind": "class", "name": "x", "values": 3},
     {"kind": "class", "name": "x", "values": ["a"], "more": 1}],
)  # fmt: skip
def test_json_of_something_else_is_refused(values: object) -> None:
    assert "condition" in complaint(Condition.from_json, values)


def test_a_vector_comes_back_from_link_state_and_words() -> None:
    for vector in (*LABEL.showcase(), LABEL.blend({0: 1.0, 2: 3.0})):
        np.testing.assert_allclose(LABEL.from_link(LABEL.to_link(vector.tolist())), vector, atol=1e-3)
        np.testing.assert_allclose(LABEL.from_state(LABEL.to_state(vector.tolist())), vector)
    assert LABEL.describe(LABEL.from_option("a+c")) == "50% a + 50% c"
    np.testing.assert_allclose(LABEL.from_state({"weights": [0, 0, 0], "mixing": True}), np.full(3, 1 / 3))


@pytest.mark.parametrize(
    "weights",
    [
        [1, 2],
        [1, -1, 1],
        [float("nan"), 1, 1],
        [1e308, 1e308, 0],
        [[1], [0], [0]],
        ["1", 0, 0],
        [{}, 1, 1],
        [10**400, 0, 0],
        "abc",
        None,
        3,
    ],
)
def test_a_state_that_holds_no_class_is_refused(weights: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        LABEL.from_state({"weights": weights, "mixing": False})


def test_several_conditions_stand_side_by_side() -> None:
    both = (SIDE, ImageCondition("image"), LABEL)  # a picture takes no numbers
    found = vectors(both, 2, {"side": [1, 0], "label": [2, 0]})
    np.testing.assert_array_equal(found, [[0, 1, 0, 0, 1], [1, 0, 1, 0, 0]])
    np.testing.assert_array_equal(vectors(both, 2, {"side": [1, 0]}), [[0, 1, 1, 0, 0], [1, 0, 1, 0, 0]])
    np.testing.assert_array_equal(joined(both, {"label": [0, 0.5, 0.5]}), [1, 0, 0, 0.5, 0.5])
    assert label_place(both) == slice(2, 5)
    assert vectors((), 2, {}) is None
    assert joined((ImageCondition("image"),), {}) is None


def test_the_quadrants_are_given_from_the_lower_left_round() -> None:
    corners = {name: np.zeros((9, 8), bool) for name in ("lower left", "upper left", "lower right")}
    corners["lower left"][4:, :4] = corners["upper left"][:4, :4] = corners["lower right"][4:, 4:] = True
    seen = np.zeros((9, 8), bool)
    for quadrants, corner in enumerate(corners.values(), 1):
        seen |= corner
        np.testing.assert_array_equal(ImageCondition("image", (1, 9, 8), quadrants).visible, seen)
    assert ImageCondition("image", (1, 9, 8)).visible.all()


def test_a_link_may_name_a_class_twice() -> None:
    np.testing.assert_allclose(LABEL.from_link("1:1,1:2,2:1"), [0, 0.75, 0.25])


def test_a_config_takes_of_the_columns_what_it_names() -> None:
    both = ModelConfig("cvae", condition=("side", "label"), columns=(SIDE,), class_names=("a", "b", "c"))
    assert both.conditions == (SIDE, LABEL)
    assert both.condition_width == 5
    np.testing.assert_array_equal(both.every_class()[:, 2:], np.eye(3))
    alone = ModelConfig("cmma", condition=("side",), columns=(SIDE,), class_names=())
    assert (alone.conditions, alone.needs_labels, alone.takes_label) == ((SIDE,), False, False)
    assert ModelConfig.from_json(json.loads(json.dumps(both.to_json()))) == both
    assert "side" in complaint(lambda: ModelConfig("cvae", condition=("side",)))
    assert "columns" in complaint(lambda: ModelConfig("cvae", columns=(SIDE, SIDE)))
    for wrong in (5, "abc", True, {}):
        assert "columns" in complaint(lambda wrong=wrong: ModelConfig("vae", columns=wrong))
    assert not both.takes_only_label
    assert ModelConfig("cvae", class_names=("a", "b")).takes_only_label


def test_a_kind_is_stated_once() -> None:
    with pytest.raises(ValueError, match="'class'"):
        type("Other", (Condition,), {"kind": "class"})
    assert KINDS["class"] is ClassCondition
    with pytest.raises(ValueError, match="no kind"):
        type("Other", (Condition,), {})
    for name in ("", " ", "a\nb", 5):
        with pytest.raises(ValueError, match="cannot name a condition"):
            ClassCondition(name, ("a", "b"))


# --- a kind that is added: its class, its two controls, and data that have such a column

TOY_KIND = '''
@dataclass(frozen=True)
class AmountCondition(Condition):
    """A number from 0 to `most`."""

    kind: ClassVar[str] = "amount"
    most: float = 1.0

    @property
    def width(self):
        return 1

    def vector(self, values):
        return np.asarray(values, np.float32)[:, None] / np.float32(self.most)

    def default(self):
        return np.full(1, 0.5, np.float32)

    def showcase(self):
        return np.linspace(0, 1, 3, dtype=np.float32)[:, None]

    def to_link(self, vector):
        return f"{vector[0] * self.most:g}"

    def from_link(self, text):
        return self.from_state(float(text))

    def from_option(self, text):
        return self.from_link(text)

    def to_state(self, vector):
        return vector[0] * self.most

    def from_state(self, value):
        if not isinstance(value, (int, float)) or not 0 <= value <= self.most:
            raise ValueError(value)
        return np.full(1, value / self.most, np.float32)

    def describe(self, vector):
        return self.to_link(vector)


'''
TOY_CONTROL_JS = """
import { el } from "../../shared/dom.js";

export const amountKind = {
  read: ({ name, kind, most }) => ({ name, kind, width: 1, most }),
  initial: ({ most }) => most / 2,
  merge: (value, change, { most }) => (change >= 0 && change <= most ? change : value),
  put: (value, { most }, given, at) => void (given.vector[at] = value / most),
  create(app, name) {
    const range = el("input", "", [], { type: "range", min: "0", max: String(app.condition(name).most), step: "any" });
    range.oninput = () => app.setCondition(name, range.valueAsNumber);
    const update = () => void (range.valueAsNumber = app.state.conditions[name]);
    return { element: el("section", "", [range]), update };
  },
};
"""
TOY_CONTROL = '''

@control("amount")
def amount_choice(condition, run, held):
    """A number from 0 to the condition's `most`."""
    linked = state.condition(condition)
    start = condition.default() if linked is None else linked
    value = st.slider(condition.name, 0.0, condition.most, float(start[0] * condition.most))
    vector = condition.from_state(value)
    state.keep_condition(condition, vector.tolist())
    return vector
'''
TOY_DATA = """
        Dataset(
            id="shades",
            title="Shades",
            image_shape=(1, 8, 8),
            class_names=("left", "right"),
            sizes=(160, 20, 20),
            licence="CC0 1.0",
            source="made by a test",
            further=(AmountCondition("shade", 250.0),),
            read=shades,
        ),
"""
TOY_READER = """
def shades(dataset, directory):
    labels, shade = np.arange(200) % 2, np.arange(200, dtype=np.float64)
    images = np.zeros((200, 1, 8, 8), np.uint8)
    for image, side, value in zip(images, labels, shade):
        image[0, :, 4 * side : 4 * side + 4] = value
    return shuffled_splits(
        dataset.id, images, labels, dataset.class_names, columns={"shade": shade}, further=dataset.further
    )


DATASETS"""


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with one kind of condition more, and two runs that are given it."""
    copy = tmp_path_factory.mktemp("added") / "project"
    for part in ("cvae", "pages"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "assets", copy / "assets", ignore=shutil.ignore_patterns("gallery", "readme"))
    shutil.copy(ROOT / "app.py", copy)
    edit(copy / "cvae/conditions.py", "def one_hot(", TOY_KIND.lstrip("\n") + "def one_hot(")
    control = copy / "cvae/ui/parts/condition_input.py"
    control.write_text(control.read_text(encoding="utf-8") + TOY_CONTROL, encoding="utf-8")
    controls = copy / "assets/explorer/controls"
    (controls / "amount.js").write_text(TOY_CONTROL_JS, encoding="utf-8")
    last = 'import { imageKind } from "./image.js";\n'
    edit(controls / "index.js", last, last + 'import { amountKind } from "./amount.js";\n')
    edit(controls / "index.js", "  image: imageKind,\n", "  image: imageKind,\n  amount: amountKind,\n")
    registry = copy / "cvae/data/registry.py"
    edit(registry, "\nDATASETS", TOY_READER)
    edit(registry, "    )\n}\n", TOY_DATA.lstrip("\n") + "    )\n}\n")
    edit(registry, "import Condition", "import AmountCondition, Condition")
    options = ["--data", "shades", "--hidden", "16", "--epochs", "2", "--threads", "1", "--device", "cpu"]
    both = ["--model", "cvae-learned-prior", "--condition", "label", "shade"]
    python(copy, "-m", "cvae", "train", *options, *both, "--run", "runs/both")
    python(copy, "-m", "cvae", "train", *options, "--model", "cmma", "--condition", "shade", "--run", "runs/shade")
    return copy


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, (file, before)
    file.write_text(text.replace(before, after), encoding="utf-8")


def python(folder: Path, *args: str) -> str:
    """What Python prints there; it fails with what went wrong."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder), "CVAE_RUNS": str(folder / "runs")}
    done = subprocess.run(
        [sys.executable, *args], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_runs_of_an_added_kind_go_on_and_are_measured(added: Path) -> None:
    config = json.loads((added / "runs/both/config.json").read_text(encoding="utf-8"))
    assert config["model"]["condition"] == ["label", "shade"]
    assert config["model"]["columns"] == [{"kind": "amount", "name": "shade", "most": 250.0}]
    for name in ("both", "shade"):
        python(added, "-m", "cvae", "train", "--resume", "--run", f"runs/{name}", "--epochs", "3")
        figures = json.loads(python(added, "-m", "cvae", "evaluate", name, "--samples", "10", "--json"))
        assert figures["nll"] > 0
        assert figures["nll_mixture"] is None  # a sum over the labels would be log p(x|shade)
    drawn = []
    for more in ([], ["--condition", "shade=5"], ["--condition", "shade=245"]):
        python(added, "-m", "cvae", "sample", "both", "--label", "left", *more)
        drawn.append((added / "samples.png").read_bytes())
    assert len(set(drawn)) == 3
    python(added, "-m", "cvae", "sample", "shade")


# Prints prior and picture at z = 0 in the browser's modules and in NumPy, for a label and a shade.
BROWSER = """
import json, subprocess
import numpy as np
from cvae.assets import EXPLORER
from cvae.browser.explorer import export
from cvae.conditions import joined
from cvae.explore.inference import Inference
from cvae.runs.folder import Run

SCRIPT = '''
import { readFileSync } from "node:fs";
const { createModel } = await import(process.argv[1] + "/model.js");
const { priorAt } = await import(process.argv[1] + "/prior.js");
const { payload, value } = JSON.parse(readFileSync(0, "utf8"));
const model = createModel(payload.models[0]);
console.log(JSON.stringify(priorAt(model, value).mean));
'''
for name in ("both", "shade"):
    run = Run("runs/" + name)
    model = Inference.load(run)
    known = {one.name: one for one in model.config.conditions}
    value = {"label": {"weights": [0, 1], "mixing": False}, "shade": 200}
    given = joined(model.config.conditions, {n: known[n].from_state(v) for n, v in value.items() if n in known})
    payload = export([run])
    data = json.dumps({"payload": payload, "value": {n: v for n, v in value.items() if n in known}})
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT, EXPLORER.as_uri()], input=data, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), model.prior(given[None])[0][0], atol=1e-2)
    other = joined(model.config.conditions, {"shade": known["shade"].from_state(20)})
    assert np.abs(model.prior(other[None])[0] - model.prior(given[None])[0]).max() > 1e-3
"""
PAGES = """
from streamlit.testing.v1 import AppTest

for name in ("both", "shade"):
    for language in ("en", "zh"):
        for page in ("start", "train", "latent", "sample", "compare", "measure"):
            app = AppTest.from_file("app.py", default_timeout=60)
            app.query_params.update({"lang": language, "run": name, "runs": "both,shade", "c.shade": "200"})
            app.run()
            if page != "start":
                app.switch_page(f"pages/{page}.py").run()
            assert not app.exception, (name, language, page, app.exception)
            assert not app.error, (name, language, page, app.error)
            assert app.query_params["c.shade"] in ("200", ["200"]), (page, app.query_params)
            if page == "latent":
                assert app.slider[0].value == 200
app = AppTest.from_file("app.py", default_timeout=60).run()
app.switch_page("pages/train.py").run()
app.session_state["train.new"] = True
app.run()
next(menu for menu in app.selectbox if menu.key == "train.data").set_value("shades").run()
assert next(menu for menu in app.multiselect if menu.key == "train.condition").options == ["label", "shade"]
"""


def test_the_browser_computes_with_an_added_kind_what_python_does(added: Path) -> None:
    python(added, "-c", BROWSER)


def test_an_added_kind_is_on_every_page_in_both_languages(added: Path) -> None:
    python(added, "-c", PAGES)
