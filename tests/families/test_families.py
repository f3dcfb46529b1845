"""The families: found by being there, each with its networks, its objective and its words; and a new one, added."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cvae.assets import TEXT
from cvae.families import FAMILIES, found
from cvae.models import build
from cvae.models.base import Autoencoder

ROOT = Path(__file__).parents[2]
PAGES = ("latent", "sample", "compare")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_two_files_and_its_words(name: str) -> None:
    family = FAMILIES[name]
    assert (ROOT / "cvae" / "families" / f"{family.module}.py").is_file()
    assert (ROOT / "cvae" / "models" / f"{family.module}.py").is_file()
    for language in ("en", "zh"):
        words = json.loads((TEXT / "families" / f"{name}.{language}.json").read_text(encoding="utf-8"))
        assert set(PAGES) <= words.keys()


def test_each_model_file_makes_models_of_its_family() -> None:
    from helpers.engine import tiny_model

    for name in FAMILIES:
        model = build(tiny_model(name))
        assert isinstance(model, Autoencoder)
        assert model.family.id == name


def write_families(folder: Path, **ids: str) -> list[str]:
    for file, name in ids.items():
        family = "cvae-predictive" if "cvae-predictive" in ids.values() else "vae"  # the former has options of its own
        text = (ROOT / "cvae" / "families" / f"{family.replace('-', '_')}.py").read_text(encoding="utf-8")
        text = text.replace(f'id="{family}"', f'id="{name}"')
        (folder / f"{file}.py").write_text(text, encoding="utf-8")
    return [str(folder)]


def test_an_id_that_is_not_its_file_s_or_is_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, ids, wrong in (
        ("other", {"other": "vae"}, "must be vae.py"),
        ("twice", {"same": "same", "same_": "same"}, "two files state a family 'same'"),
        ("flags", {"cvae_predictive": "cvae-predictive", "also": "also"}, "both state --"),
    ):
        folder = tmp_path / package
        folder.mkdir()
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(ValueError, match=re.escape(wrong)):
            found(write_families(folder, **ids), package)


# --- a family that is added: its two files and its words, and no other edit

TOY_FAMILY = '''
"""A toy: a VAE whose codes are drawn to the circle of radius 1, by a term of its own on a few images of its own."""

from dataclasses import dataclass

import numpy as np

from cvae.families.family import Family, every_image, gaussian_code
from cvae.options import Section, option


@dataclass(frozen=True)
class Options(Section):
    pull: float = option(1.0, "number", "--pull", "of toy-circle ({default})", step=0.5)
    shape: str = option("round", "choice", "--shape", "of toy-circle", choices=("round", "oval"))


def encode(networks, image, condition):
    mean, std = gaussian_code(networks, image, condition)
    return -mean, std


FAMILY = Family(
    id="toy-circle", title="Toy circle", encoder_sees=("image", "condition"), decoder_sees=("z", "condition"),
    prior_sees=("condition",), prior="learned", bound="E_q log p(x|z,y) − KL − circle",
    posterior=("q(z|x,y)", "p(z|y)"), draw=("z",), objective="-ELBO", terms=("circle",), options=Options,
    encode=encode, streams={"all": every_image, "few": lambda split: np.arange(len(split)) < 50},
)
'''
TOY_MODEL = '''
"""The toy's objective."""

import dataclasses

from cvae.models.cvae_learned_prior import LearnedPriorCVAE
from cvae.models.distributions import Gaussian


class ToyCircle(LearnedPriorCVAE):
    def encode(self, x, condition=None):
        q = super().encode(x, condition)
        return Gaussian(-q.mean, q.log_var)

    def forward(self, x, condition=None, *, k=1, generator=None):
        terms = super().forward(x, condition, k=k, generator=generator)
        return dataclasses.replace(terms, further={"circle": (terms.q.mean.norm(dim=-1) - 1).square()})

    def training_loss(self, batches, objective, beta, generator=None):
        loss, terms = self.loss(*batches["all"], objective, beta, generator)
        x, y = batches["few"]
        assert len(x) == len(batches["all"][0])
        few = self(x, y, generator=generator)
        return loss + self.config.options.pull * few.further["circle"].mean(), terms


MODEL = ToyCircle
'''
TOY_WORDS = {
    **{page: f"TOY {page} words" for page in PAGES},
    "terms": {"circle": "TOY circle term", "circle_what": "TOY what the circle is"},
    "options": {
        "pull": "TOY pull",
        "pull_help": "TOY help",
        "shape": "TOY shape",
        "shape_choices": {"oval": "TOY oval"},
    },
}
CHECK = """
import sys
from streamlit.testing.v1 import AppTest

for language in ("en", "zh"):
    for page in ("start", "train", "latent", "sample", "compare", "measure"):
        app = AppTest.from_file("app.py", default_timeout=60)
        app.query_params.update({"lang": language, "run": "mine", "runs": "mine"})
        app.run()
        if page != "start":
            app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, (language, page, app.exception)
        kinds = ("markdown", "caption", "subheader")
        seen = " ".join(str(element.value) for kind in kinds for element in app.get(kind))
        if page in ("latent", "sample", "compare"):
            assert f"TOY {page} words" in seen, (language, page)
        if page in ("compare", "measure"):
            assert "TOY circle term" in seen, (language, page)
app = AppTest.from_file("app.py", default_timeout=60).run()
app.switch_page("pages/train.py").run()
app.session_state["train.new"] = True
app.run()
assert "TOY pull" not in [field.label for field in app.number_input]
next(menu for menu in app.selectbox if menu.key == "train.family").set_value("toy-circle").run()
assert "TOY pull" in [field.label for field in app.number_input]
assert next(menu for menu in app.selectbox if menu.label == "TOY shape").options == ["round", "TOY oval"]
assert "torch" not in sys.modules
"""


CODES = """
import numpy as np
from cvae.data import load_data
from cvae.explore.inference import Inference
from cvae.runs.folder import Run

run = Run("runs/mine")
model, data = Inference.load(run), load_data(run.config().data)
y = np.eye(10)[data.test.labels]
codes = model.encode(data.test.images / 255, y)[0]
np.testing.assert_allclose(codes, run.codes()["codes"], atol=0.01)
"""
BROWSER = """
import json, subprocess
import numpy as np
from cvae.assets import EXPLORER
from cvae.browser.explorer import export
from cvae.explore.inference import Inference
from cvae.runs.folder import Run

SCRIPT = '''
import { readFileSync } from "node:fs";
const { createModel } = await import(process.argv[1] + "/model.js");
const { priorAt } = await import(process.argv[1] + "/prior.js");
const { givenOf } = await import(process.argv[1] + "/state.js");
const model = createModel(JSON.parse(readFileSync(0, "utf8")).models[0]);
const seven = { label: { weights: [0, 0, 0, 0, 0, 0, 0, 1, 0, 0], mixing: false } };
const z = Float32Array.from(priorAt(model, seven).mean);
console.log(JSON.stringify([[...z], [...model.decode(z, givenOf(model, seven))]]));
'''
run = Run("runs/mine")
done = subprocess.run(
    ["node", "--input-type=module", "-e", SCRIPT, EXPLORER.as_uri()], input=json.dumps(export([run])),
    capture_output=True, text=True,
)
assert done.returncode == 0, done.stderr
z, picture = map(np.array, json.loads(done.stdout))
model, seven = Inference.load(run), np.eye(10)[7:8]
np.testing.assert_allclose(z, model.prior(seven)[0][0], atol=1e-2)
np.testing.assert_allclose(picture, model.decode(z[None], seven).ravel(), atol=1e-2)
"""


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project to which the toy family was added, and trained."""
    copy = tmp_path_factory.mktemp("added") / "project"
    for part in ("cvae", "pages"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "assets", copy / "assets", ignore=shutil.ignore_patterns("gallery", "readme"))
    shutil.copy(ROOT / "app.py", copy)
    (copy / "cvae" / "families" / "toy_circle.py").write_text(TOY_FAMILY, encoding="utf-8")
    (copy / "cvae" / "models" / "toy_circle.py").write_text(TOY_MODEL, encoding="utf-8")
    words = copy / "assets" / "text" / "families" / "toy-circle.en.json"
    words.write_text(json.dumps(TOY_WORDS), encoding="utf-8")
    options = [
        "--model",
        "toy-circle",
        "--pull",
        "0.5",
        "--hidden",
        "16",
        "--epochs",
        "2",
        "--threads",
        "1",
        "--run",
        "runs/mine",
    ]
    python(copy, "-m", "cvae", "train", *options)
    return copy


def python(folder: Path, *args: str) -> str:
    """What Python prints there; it fails with what went wrong."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder), "CVAE_RUNS": str(folder / "runs")}
    done = subprocess.run(
        [sys.executable, *args], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_added_family_trains_resumes_and_is_measured(added: Path) -> None:
    history = [json.loads(line) for line in (added / "runs/mine/history.jsonl").read_text().splitlines()]
    assert all(record["circle"] >= 0 for record in history)
    config = json.loads((added / "runs/mine/config.json").read_text(encoding="utf-8"))
    assert config["model"]["options"] == {"pull": 0.5, "shape": "round"}
    python(added, "-c", CODES)
    assert "toy-circle" in python(added, "-m", "cvae", "list")
    python(added, "-m", "cvae", "train", "--resume", "--run", "runs/mine", "--epochs", "3")
    figures = json.loads(python(added, "-m", "cvae", "evaluate", "mine", "--samples", "10", "--json"))
    assert figures["circle"] >= 0
    assert figures["nll_mixture"] is not None
    python(added, "-c", BROWSER)
    python(added, "-m", "cvae", "sample", "mine", "--label", "3+8")
    python(added, "-m", "cvae", "manifold", "mine", "--label", "3")


def test_an_added_family_is_on_every_page_in_both_languages(added: Path) -> None:
    (added / "runs/mine/metrics.json").unlink(missing_ok=True)  # figures of so short a training choose other words
    python(added, "-c", CHECK)
