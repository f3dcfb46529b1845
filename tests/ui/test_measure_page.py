"""The page Measure as a script, the cards of shipped runs, and the sets of runs that teach something together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from helpers.explorer import make_run
from streamlit.testing.v1 import AppTest

from cvae.families import FAMILIES
from cvae.results.protocols import PROTOCOLS
from cvae.results.recipes import RECIPES
from cvae.runs.folder import Run
from cvae.ui.frame.text import LANGUAGES, keys, phrases, table
from cvae.ui.pages import papers
from cvae.ui.parts import comparison_picker

ROOT = Path(__file__).parents[2]
Open = Callable[..., AppTest]

PROBES = {"ae": 0.68, "vae": 0.7, "cvae": 0.18, "cmma": 0.93}


def figures(family: str) -> dict[str, Any]:
    """What `evaluate` might have found."""
    conditional = FAMILIES[family].takes == "condition"
    found = {
        "split": "test",
        "reconstruction": 20.0 + len(family),
        "active_units": 2,
        "linear_probe_accuracy": PROBES[family],
        "classifier_accuracy": 0.9931,
        "frechet_distance": 3.5,
        "frechet_distance_train": 0.4,
    }
    if family != "ae":
        bounds = {"kl": 4.5, "neg_elbo": 24.5 + len(family), "neg_iwae_5": 23.5, "neg_iwae_50": 23.0, "nll": 22.5}
        found |= bounds | {"kl_per_dim": [2.5, 2.0], "nll_samples": 1000, "nll_exact": 21.75, "nll_poor": 0.125}
    if conditional:
        found |= {"conditional_accuracy": 0.985, "conditional_accuracy_per_class": [0.98] * 10, "diversity": 0.9}
        found |= {"nll_mixture": 24.0, "nll_mixture_exact": 23.25, "accuracy_bayes": 0.9375}
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RunMetrics runs of four families, and no shipped ones."""
    for family in PROBES:
        make_run(tmp_path / "runs" / family, family=family).write_metrics(figures(family))
    monkeypatch.setenv("CVAE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("cvae.ui.parts.runs.GALLERY", tmp_path / "gallery")
    monkeypatch.setattr(papers, "read", dict)
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "runs"


@pytest.fixture
def open_page(folder: Path) -> Open:
    def opened(page: str = "measure", **link: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        app.query_params.update({"lang": "en", **link})
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, app.exception[0].message
        return app

    return opened


def words(app: AppTest) -> str:
    """Everything that the page says."""
    kinds = ("subheader", "markdown", "caption", "info", "warning", "error", "code")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


def charts(app: AppTest) -> set[str]:
    """The keys of the charts, each of which has a text for who does not see it."""
    found = app.get("plotly_chart")
    assert all(chart.proto.alt for chart in found)
    return {re.sub(r"^\$\$ID-[^-]+-", "", chart.proto.id) for chart in found}


def cells(app: AppTest, figure: str) -> list[str]:
    """A row of the table."""
    lines = next(m.value for m in app.markdown if m.value.startswith("|Figure")).splitlines()
    line = next(line for line in lines if line.startswith(f"|{figure}|"))
    return re.split(r"(?<!\\)\|", line)[2:-1]


# --- runs that were measured ----------------------------------------------------------------------------------------


def test_every_figure_is_explained_and_has_its_command(open_page: Open):
    app = open_page(runs="ae,vae,cvae,cmma")
    assert not app.error
    assert cells(app, "Class from a linear probe")[:4] == ["68.0%", "70.0%", "18.0%", "93.0%"]
    assert "why that need not be high" in cells(app, "Class from a linear probe")[-1]
    assert cells(app, "Draws of the asked class")[:2] == ["–", "–"]
    assert [f"python -m cvae evaluate {name}" for name in PROBES] in [code.value.splitlines() for code in app.code]
    kl = {f"kl-{family}" for family in ("vae", "cvae", "cmma")}
    ladders = {f"ladder-{family}" for family in ("vae", "cvae", "cmma")}
    assert charts(app) == {"split", "per-class", "frechet", "probe"} | kl | ladders
    assert "**VAE** · 2 of 2 dimensions active" in words(app)
    assert "CMMA’s codes separate by class" in words(app)
    assert len(app.get("latex")) == 4


def test_exact_figures_stand_beside_sampled_ones_and_end_the_ladder(open_page: Open):
    app = open_page(runs="ae,vae,cvae")
    assert cells(app, "−log p(x)")[:3] == ["–", "**22.50**", "24.00"]
    assert cells(app, "−log p(x), exact")[:3] == ["–", "**21.75**", "23.25"]
    assert cells(app, "−log p(x\\|y), exact")[:3] == ["–", "–", "21.75"]
    assert cells(app, "Images that sampling fails on")[:3] == ["–", "12.5%", "12.5%"]
    assert cells(app, "Class from p(y\\|x)")[:3] == ["–", "–", "93.8%"]
    (alt,) = [c.proto.alt for c in app.get("plotly_chart") if c.proto.id.endswith("ladder-cvae")]
    assert "IWAE₅₀ -23.00, IWAE₁₀₀₀ -22.50, log p(x|y) -21.75" in alt


def test_every_section_speaks_chinese(open_page: Open):
    app = open_page(runs="ae,vae,cvae", lang="zh")
    said = "\n".join(element.value for kind in ("markdown", "caption", "subheader") for element in app.get(kind))
    assert not re.findall(r"\b(?:the|and|of)\b", said)
    assert "观察要点" in said


def test_one_autoencoder_has_no_bound_to_show(open_page: Open):
    app = open_page(runs="ae")
    assert charts(app) == {"split", "frechet", "probe"}
    assert "None of these models can be asked for a class" in words(app)


def test_the_link_says_which_runs(open_page: Open):
    app = open_page(runs="cmma,ae")
    assert app.multiselect[0].value == ["cmma", "ae"]
    assert app.query_params["runs"] == "cmma,ae"


# --- runs that were not, or not well --------------------------------------------------------------------------------


def test_what_was_not_measured_has_the_command_that_does(open_page: Open, folder: Path):
    (folder / "vae" / "metrics.json").unlink()
    app = open_page(runs="vae")
    assert "Nothing has been measured yet." in words(app)
    assert "python -m cvae evaluate vae" in [code.value for code in app.code]
    assert not charts(app)
    app = open_page(runs="vae,cvae")
    assert "python -m cvae evaluate vae" in [code.value for code in app.code]
    assert "ladder-cvae" in charts(app)


def test_damaged_figures_are_a_sentence_and_the_others_stay(open_page: Open, folder: Path):
    (folder / "vae" / "metrics.json").write_text("{")
    app = open_page(runs="vae,cvae")
    assert "metrics.json" in app.error[0].value.replace("\\", "")
    assert cells(app, "−ELBO")[:2] == ["–", "28.50"]


def test_values_that_are_no_figures_are_left_out(open_page: Open, folder: Path):
    wrong = dict.fromkeys(figures("cvae"), "NaN") | {"kl_per_dim": [1.0, None], "nll": True, "split": "test"}
    Run(folder / "cvae").write_metrics(wrong | {"reconstruction": float("nan"), "active_units": 1.5})
    app = open_page(runs="cvae,vae")
    assert not app.error
    assert cells(app, "Reconstruction")[:2] == ["–", "23.00"]
    assert cells(app, "Active units")[:2] == ["2", "2"]
    assert "kl-cvae" not in charts(app)


AUGMENTED = {
    "real_per_class": [10, 50],
    "generated_per_class": 1000,
    "seeds": 2,
    "without": [[0.6, 0.7], [0.8, 0.82]],
    "with": [[0.8, 0.9], [0.9, 0.92]],
}


def test_what_samples_teach_is_shown_or_else_how_to_find_it(open_page: Open, folder: Path):
    Run(folder / "cvae").write_augmentation(AUGMENTED)
    assert "augmentation-cvae" in charts(open_page(runs="cvae,cmma"))
    assert "python -m cvae augment cmma" in words(open_page(runs="cmma"))
    assert "python -m cvae augment" not in words(open_page(runs="vae"))


@pytest.mark.parametrize("wrong", [{"with": [[0.8]]}, {"without": None}, {"seeds": 2, "with": [["x"], [1.0]]}])
def test_damaged_augmentation_is_left_out(open_page: Open, folder: Path, wrong: dict[str, Any]):
    Run(folder / "cvae").write_augmentation(AUGMENTED | wrong)
    assert not {key for key in charts(open_page(runs="cvae")) if key.startswith("augmentation")}


# --- beside the papers ----------------------------------------------------------------------------------------------


def results(**changes: Any) -> dict[str, Any]:
    """Every protocol, as `reproduce` would have recorded it."""
    found = {}
    for name, protocol in PROTOCOLS.items():
        metrics = {figure.key: 0.9 if "accuracy" in figure.key else 80.0 for figure in protocol.figures}
        runs = {
            label: {
                "config": config.to_json(),
                "epochs": 7,
                "metrics": metrics,
                "curve": [[epoch, 100.0 - epoch] for epoch in range(8)],
            }
            for label, config in protocol.runs.items()
        }
        made = {"command": f"python -m cvae reproduce {name}", "machine": "2 cores", "date": "2026-01-31", "seed": 0}
        found[name] = {"runs": runs, "samples": 10, **made, **changes}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_published_figures_stand_beside_ours_with_the_command(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, language: str
):
    monkeypatch.setattr(papers, "read", results)
    app = open_page(runs="vae", lang=language)
    said = words(app)
    for name in PROTOCOLS:
        assert f"python -m cvae reproduce {name}" in said
    for figure in (figure for protocol in PROTOCOLS.values() for figure in protocol.figures):
        assert all(f"{published.value:g} · " in said for published in figure.published)
    assert ":red-badge[" in said, "what nobody checked is marked"
    assert any(key.startswith("approach-") for key in charts(app))
    if language != "en":
        tables = "\n".join(m.value for m in app.markdown)
        assert not re.findall(r"\b(?:the|and|of|given|unverified)\b", tables)


def test_the_protocol_of_the_curve_is_in_the_link(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(papers, "read", results)
    app = open_page(runs="vae", protocol="iwae")
    assert "approach-iwae" in charts(app)


def test_without_results_the_page_says_how_to_get_them(open_page: Open):
    app = open_page(runs="vae")
    assert "No protocol has been run yet." in words(app)
    assert "python -m cvae reproduce vae" in words(app)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_what_the_protocols_say_is_translated(language: str):
    said = set()
    for protocol in PROTOCOLS.values():
        said |= {protocol.title, protocol.difference, *(figure.what for figure in protocol.figures)}
        said |= {word for figure in protocol.figures for p in figure.published for word in (p.source, p.checked)}
    names = {"pythae", *FAMILIES}
    english = {text for text in said - names if re.search(r"\b[a-z]{2,}\b", text)}
    assert english - phrases(language).keys() == set()


# --- shipped runs ---------------------------------------------------------------------------------------------------

CARD = {
    "command": "python -m cvae gallery mnist-cvae",
    "train_command": "python -m cvae train --model cvae",
    "seconds": 90.0,
    "machine": "2 cores",
    "date": "2026-01-31",
    "data_licence": "CC BY-SA 3.0",
}


@pytest.fixture
def shipped(folder: Path) -> Path:
    """The shipped runs of two of the sets."""
    gallery = folder.parent / "gallery"
    for name in {*comparison_picker.SETS["families"], *comparison_picker.SETS["labels"]}:
        run = make_run(gallery / name, family=RECIPES[name].config.model.family)
        (run.path / "card.json").write_text(json.dumps(CARD))
        run.write_metrics(figures("cvae") if "cvae" in name else {"split": "test"})
    return gallery


@pytest.mark.parametrize("page", ["train", "latent", "sample", "compare", "measure"])
def test_a_shipped_run_shows_its_card(open_page: Open, shipped: Path, page: str):
    link = {"run": "mnist-cvae", "runs": "mnist-cvae"}
    if page == "train":
        (shipped / "mnist-cvae" / "history.jsonl").touch()
    said = words(open_page(page, **link)).replace("\\", "")
    assert table("en")["gallery"]["mnist-cvae"]["note"].replace("\\", "") in said
    assert "licence CC BY-SA 3.0" in said
    assert "1.5 minutes on 2 cores" in said
    assert "python -m cvae gallery mnist-cvae" in said
    assert "draws of the asked class 98.5%" in said


def test_the_card_of_a_run_of_the_users_own_says_how_it_was_made(open_page: Open):
    app = open_page("latent", run="cvae")
    assert "licence" not in words(app)
    assert "β = 1" in words(app)
    assert any("train --data digits --model cvae" in code.value for code in app.code)


def test_a_damaged_card_is_a_sentence(open_page: Open, shipped: Path):
    (shipped / "mnist-cvae" / "card.json").write_text("{")
    app = open_page("sample", run="mnist-cvae")
    assert "card.json" in app.error[0].value.replace("\\", "")


def test_shipped_runs_are_called_by_what_they_are(open_page: Open, shipped: Path):
    app = open_page(runs="mnist-cvae-learned-prior", lang="zh")
    options = app.multiselect[0].options
    assert "CVAE（先验可学习） · Digits 8×8 · z 2" in options
    assert [option.partition(" ")[0] for option in options][:4] == [Run(p).name for p in sorted_by_time(shipped)]


def sorted_by_time(gallery: Path) -> list[Path]:
    """The user's own runs as they are listed, the newest first."""
    own = (gallery.parent / "runs").iterdir()
    return sorted(own, key=lambda path: (path / "config.json").stat().st_mtime, reverse=True)


def test_a_set_of_shipped_runs_is_a_click_away(open_page: Open, shipped: Path):
    app = open_page("compare", runs="cvae")
    offered = [button.key for button in app.button if button.key and button.key.startswith("several.")]
    assert offered == ["several.families", "several.labels"], "only those that are all there"
    app.button(key="several.labels").click().run()
    assert not app.exception
    assert app.query_params["runs"] == ",".join(comparison_picker.SETS["labels"])


def test_every_shipped_run_has_a_title_and_a_note():
    named = {f"gallery.{name}.{word}" for name in RECIPES for word in ("title", "note")}
    assert {key for key in keys(table("en")) if key.startswith("gallery.")} == named
    assert {name for names in comparison_picker.SETS.values() for name in names} <= RECIPES.keys()
