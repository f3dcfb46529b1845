"""The pages latent space, sample and compare, as scripts: every family, both languages, links, empty states."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from helpers.engine import tiny_run
from streamlit.testing.v1 import AppTest

from cvae.data import ImageData
from cvae.families import FAMILIES
from cvae.runs.folder import Run
from cvae.training.loop import fit
from cvae.ui.parts import cache, comparison_picker, runs

ROOT = Path(__file__).parents[2]
RUNS = {
    "ae": {},
    "vae": {},
    "cvae": {},
    "cvae-learned-prior": {},
    "cmma": {},
    "cvae-predictive": {},
    "label": {"family": "cvae-predictive", "task": "label"},
    "deep": {"family": "vae", "latent_dim": 5},
    "flat": {"family": "cvae", "latent_dim": 1},
    "three": {"family": "ae", "latent_dim": 3},
}


@pytest.fixture(scope="module")
def folder(digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every kind, trained for a moment."""
    path = tmp_path_factory.mktemp("runs")
    for name, changes in RUNS.items():
        values: dict[str, Any] = {"family": name, **changes}
        for _ in fit(path / name, tiny_run(values.pop("family"), **values), data=digits):
            pass
    return path


@pytest.fixture(autouse=True)
def app(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVAE_RUNS", str(folder))
    monkeypatch.setattr(runs, "GALLERY", folder / "no-gallery")
    st.cache_data.clear()
    st.cache_resource.clear()


def page(name: str, **link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in {"lang": "en", **link}.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception, app.exception[0].message
    return app


def words(app: AppTest) -> str:
    """Everything that the page says."""
    kinds = ("subheader", "markdown", "caption", "info", "warning", "error")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


def pictures(app: AppTest) -> int:
    """How many there are, each with a text for who does not see it."""
    found = [picture for element in app.get("image") for picture in element.proto.imgs]
    assert all(picture.alt for picture in found)
    return len(found)


# --- every family ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNS)
def test_the_latent_space_of_every_model(run: str) -> None:
    app = page("latent", run=run)
    assert not app.error
    assert "What to notice" in words(app)
    assert "179 of 179 test images" in words(app)
    assert "20 × 20 decoded" in words(app) or run in ("label", "flat")
    assert pictures(app) == (0 if run == "label" else 2 if run in ("deep", "three") else 1)
    assert app.get("latex")


@pytest.fixture(scope="module")
def just_begun(digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every family in two and in five dimensions, stopped after its first step: nothing is validated yet."""
    path = tmp_path_factory.mktemp("begun")
    for family in FAMILIES:
        for d in (2, 5):
            records = fit(path / f"{family}-{d}", tiny_run(family, latent_dim=d), data=digits)
            next(records)
            records.close()
            run = Run(path / f"{family}-{d}")
            assert (run.status().state, run.status().step) == ("stopped", 1)
    return path


@pytest.mark.parametrize("d", [2, 5])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_stopped_after_its_first_step_opens_on_every_page(
    family: str, d: int, just_begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CVAE_RUNS", str(just_begun))
    for name in ("latent", "sample", "compare", "train"):
        app = page(name, run=f"{family}-{d}", runs=f"{family}-{d}")
        assert not app.error, (name, app.error[0].value)


@pytest.mark.parametrize("run", RUNS)
def test_samples_of_every_model(run: str) -> None:
    app = page("sample", run=run)
    assert not app.error
    if run == "label":
        assert "predicts a label" in words(app)
        return
    assert "What to notice" in words(app)
    assert "seed 0, temperature 1" in words(app)
    assert ("fitted Gaussian" in words(app)) == (run in ("ae", "three"))
    assert pictures(app) == (2 if run in ("cvae", "cvae-learned-prior", "cmma", "flat") else 1)


def test_comparing_every_family_at_once() -> None:
    app = page("compare", runs="ae,vae,cvae,cvae-predictive")
    assert not app.error
    text = words(app)
    assert "AE: nothing says where codes may lie" in text
    assert "No prior: drawn from a Gaussian fitted to its codes." in text
    assert pictures(app) == 1 + 4 + 4  # originals, reconstructions, draws
    table = next(m.value for m in app.markdown if m.value.startswith("|Figure"))
    assert "|Reconstruction|" in table
    assert len(app.get("plotly_chart")) == 1, "the curves; the maps are the explorer's"
    assert table.splitlines()[0] == "|Figure|AE|VAE|CVAE|Predictive CVAE|Better|"


def test_colour_pictures_without_labels(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 9, 12, 3), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=images)
    for _ in fit(tmp_path / "own", tiny_run("vae", name=str(tmp_path / "own.npz"), class_names=())):
        pass
    monkeypatch.setenv("CVAE_RUNS", str(tmp_path))
    assert "6 of 6 test images" in words(page("latent", run="own", images="0,1"))
    assert pictures(page("sample", run="own")) == 1
    assert pictures(page("compare", runs="own")) == 3


@pytest.mark.parametrize("name", ["latent", "sample", "compare"])
def test_every_page_speaks_chinese(name: str) -> None:
    app = page(name, run="cvae", runs="vae,cmma", lang="zh")
    assert not app.error
    assert not re.findall(r"\b(?:the|and|of)\b", words(app))
    assert "观察要点" in words(app)


@pytest.mark.parametrize("name", ["latent", "sample", "compare"])
def test_without_a_run_a_page_says_what_to_do(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CVAE_RUNS", str(tmp_path))
    app = page(name)
    assert "There is no trained model yet." in words(app)
    assert not app.error


# --- links ----------------------------------------------------------------------------------------------------------


def test_a_link_reproduces_the_latent_page() -> None:
    app = page("latent", run="deep", view="plane", x="4", y="2", layers="density", images="3,5,400,x")
    assert app.selectbox(key="linked.x").value == 4
    assert app.selectbox(key="linked.y").value == 2
    assert app.get("text_input")[0].value == "3,5,400,x"
    assert "2 selected" in words(app)
    assert app.query_params["images"] == "3,5"
    assert "N(0, I)." not in words(app), "the prior is not shown"


def test_a_link_reproduces_draws() -> None:
    app = page("sample", run="cvae", label="3:0.5,8:0.5", temperature="0.5", seed="7", **{"from": "1", "to": "4"})
    assert "50 draws of 50% 3 + 50% 8, seed 7, temperature 0.5" in words(app).replace("\\", "")
    assert "the label goes from 1 to 4" in words(app)
    assert app.query_params["label"] == "3:0.5,8:0.5"


def test_a_link_reproduces_a_comparison() -> None:
    app = page("compare", runs="cmma,vae", example="4", seed="9")
    assert "Example 4 of each class" in words(app)
    assert "Seed 9" in words(app)
    assert app.multiselect[0].value == ["cmma", "vae"]


def test_a_label_from_the_link_lays_out_the_manifold_and_the_chips_replace_it() -> None:
    app = page("latent", run="cvae", label="3:0.5,8:0.5")
    assert "Label from the link: 50% 3 + 50% 8" in words(app).replace("\\", "")
    app.pills(key="choice.label").set_value(6).run()
    assert app.query_params["label"] == "6"
    assert "Label from the link" not in words(app)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("latent", {"view": "maps", "x": "99", "layers": "all", "images": ";;", "tsne": "-1"}),
        ("sample", {"temperature": "warm", "seed": "1e9", "rows": "none", "label": "77", "z": "1,2,3", "from": "-3"}),
        ("compare", {"example": "0", "seed": "x"}),
        ("latent", {"images": "9" * 5000, "tsne": "9" * 5000}),
        ("sample", {"seed": "9" * 5000, "from": "9" * 5000}),
    ],
)
def test_what_does_not_fit_in_a_link_gives_way(name: str, wrong: dict[str, str]) -> None:
    app = page(name, run="cvae", runs="vae", **wrong)
    assert not app.error
    assert "What to notice" in words(app)


def test_controls_write_the_link() -> None:
    app = page("sample", run="cvae")
    next(b for b in app.button if b.label == "Next seed").click().run()
    app.slider(key="linked.temperature").set_value(0.25).run()
    assert app.query_params["seed"] == "1"
    assert app.query_params["temperature"] == "0.25"
    assert "seed 1, temperature 0.25" in words(app)


# --- what is selected -----------------------------------------------------------------------------------------------


def test_selected_images_stand_beside_their_neighbours() -> None:
    app = page("latent", run="vae", images="0,1,2")
    assert "The images come from the data set." in words(app)
    assert re.search(r"\d+% of these neighbours are of the same class", words(app))
    assert pictures(app) == 3


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("cvae", "the images are decoded from the codes"),
        ("cvae-predictive", "this model cannot decode without an image"),
    ],
)
def test_without_the_data_set_images_are_decoded_and_the_page_says_so(
    run: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "held_out_data", lambda config: None)
    app = page("latent", run=run, images="0,1,2")
    assert said in words(app)
    compared = page("compare", runs=run)
    assert "without their originals" in words(compared)
    assert "Images of: " in words(compared)
    assert pictures(compared) == 2, "what training kept, and draws"
    assert not page("sample", run=run).error


# --- comparing ------------------------------------------------------------------------------------------------------


def test_models_that_share_no_z_are_compared_without() -> None:
    app = page("compare", runs="vae,deep")
    assert "cannot share one z" in words(app)
    assert len(app.get("plotly_chart")) == 2 + 1
    assert pictures(app) == 1 + 2 + 2


def test_the_better_of_comparable_figures_is_bold() -> None:
    app = page("compare", runs="ae,vae,cvae")
    table = next(m.value for m in app.markdown if m.value.startswith("|Figure"))
    reconstruction = next(line for line in table.splitlines() if line.startswith("|Reconstruction"))
    values = [float(cell.strip("*")) for cell in reconstruction.split("|")[2:5]]
    assert [cell.startswith("**") for cell in reconstruction.split("|")[2:5]] == [v == min(values) for v in values]
    assert "**" not in next(line for line in table.splitlines() if line.startswith("|KL"))
    assert "bounds −log p(x|y)" in words(app)
    assert "python -m cvae evaluate ae" in app.code[0].value


def test_usual_are_the_newest_of_three_families_on_the_same_data(folder: Path, tmp_path: Path) -> None:
    def add(name: str, source: str, seconds: int, data: str = "digits") -> None:
        shutil.copytree(folder / source, tmp_path / name)
        config = tmp_path / name / "config.json"
        values = json.loads(config.read_text())
        values["data"]["name"] = data
        config.write_text(json.dumps(values))
        os.utime(config, (seconds, seconds))

    for seconds, (name, source) in enumerate(
        [
            ("vae-old", "vae"),
            ("ae-1", "ae"),
            ("vae-1", "vae"),
            ("cvae-1", "cvae"),
            ("deep-1", "deep"),
            ("cmma-1", "cmma"),
        ]
    ):
        add(name, source, seconds)
    add("mnist-vae", "vae", 99, data="mnist")
    entries = [
        runs.ListedRun(run, shipped=False, config=run.config(), status=run.status()) for run in runs.runs_in(tmp_path)
    ]
    assert comparison_picker.default_runs(entries) == ["ae-1", "vae-1", "cvae-1"]
    assert comparison_picker.default_runs([]) == []


def test_a_run_without_a_name_of_its_own_kind_is_called_by_its_name(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "vae", tmp_path / "another")
    entries = [
        runs.ListedRun(Run(path), shipped=False, config=Run(path).config(), status=Run(path).status())
        for path in (folder / "vae", tmp_path / "another")
    ]
    assert runs.titles(entries) == ["vae", "another"]
    assert runs.titles(entries[:1]) == ["VAE"]
