"""What a page says belongs to the run: its settings and its figures choose the words, and its settings stand by it."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.app import Open, en, written
from helpers.engine import tiny_run
from helpers.pages import shown

from cvae.config import RunConfig
from cvae.data import ImageData
from cvae.families import FAMILIES
from cvae.numbers import fixed
from cvae.results.recipes import RECIPES
from cvae.runs.folder import Run
from cvae.training.loop import fit
from cvae.ui.frame.text import LANGUAGES, table, translate
from cvae.ui.parts import kinds
from cvae.ui.parts.formulas import objective
from cvae.ui.parts.kinds import differing, notices, settings, trained_with, training_notice, traits

PAGES = ("latent", "sample", "compare")
WELL = {"kl": 5.0, "conditional_accuracy": 0.99, "linear_probe_accuracy": 0.15}


def changed(name: str, section: str, **values: Any) -> RunConfig:
    """Return the config of a shipped run with other options."""
    config = RECIPES[name].config
    return dataclasses.replace(config, **{section: dataclasses.replace(getattr(config, section), **values)})


VAE, CVAE, AE = (RECIPES[f"mnist-{family}"].config for family in ("vae", "cvae", "ae"))

OF_EACH_KIND: dict[str, tuple[RunConfig, dict[str, Any]]] = {
    "untrained": (changed("mnist-ae", "objective", recon_weight=0.0), {}),
    "kl-only": (RECIPES["mnist-kl-only"].config, {"kl": -0.0}),
    "reconstruction-only": (RECIPES["mnist-reconstruction-only"].config, {"kl": 45.0}),
    "collapsed": (VAE, {"kl": 0.004}),
    "beta-low": (changed("mnist-vae", "objective", beta=0.25), WELL),
    "beta-high": (RECIPES["mnist-cvae-16d"].config, WELL),
    "free-bits": (changed("mnist-vae", "objective", free_bits=0.5), WELL),
    "importance": (changed("mnist-vae", "objective", k=5), WELL),
    "label-ignored": (CVAE, WELL | {"conditional_accuracy": 0.3}),
    "label-kept": (CVAE, WELL | {"linear_probe_accuracy": 0.9}),
    "plane": (AE, {}),
    "space": (RECIPES["mnist-ae-16d"].config, {}),
}


# --- what a run is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OF_EACH_KIND)
def test_settings_and_figures_say_what_a_run_is(kind: str) -> None:
    assert traits(*OF_EACH_KIND[kind]) == (kind,)


def test_a_plain_run_is_what_its_family_is() -> None:
    for name in ("mnist-vae", "mnist-cvae", "mnist-cvae-learned-prior", "mnist-cmma", "mnist-quadrant"):
        assert traits(RECIPES[name].config, {}) == ()
    assert traits(VAE, WELL) == traits(CVAE, WELL) == ()
    for page in PAGES:
        assert notices(VAE, WELL, page) == table("en")["families"]["vae"][page]


def test_what_does_not_apply_does_not_count() -> None:
    assert traits(changed("mnist-ae", "objective", beta=0.0), {}) == ("plane",), "an AE has no KL to weight"
    assert traits(changed("mnist-vae", "objective", beta=2.0, recon_weight=2.0), WELL) == (), "only the ratio counts"
    assert traits(changed("mnist-vae", "objective", beta=0.0, recon_weight=0.0), {}) == ("untrained",)
    assert traits(RECIPES["mnist-cmma"].config, WELL | {"linear_probe_accuracy": 0.9}) == (), "its codes have to"


def test_a_run_can_be_several_things() -> None:
    run = changed("mnist-vae", "objective", beta=4.0, free_bits=0.25)
    assert traits(run, WELL) == ("beta-high", "free-bits")
    assert "0.25 nats" in notices(run, WELL, "latent")
    assert "counts 4 times" in notices(run, WELL, "latent")
    assert traits(run, {"kl": 0.0})[0] == "collapsed"


@pytest.mark.parametrize("kind", OF_EACH_KIND)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_words(kind: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "t", lambda key, **values: translate(language, key, **values))
    run, figures = OF_EACH_KIND[kind]
    said = {page: notices(run, figures, page) for page in PAGES} | {"train": training_notice(run, figures)}
    usual = {page: translate(language, f"families.{run.model.family}.{page}") for page in PAGES}
    usual["train"] = translate(language, "train.notice." + ("ae" if run.model.family == "ae" else "bound"))
    assert {page for page in said if said[page] != usual[page]}, "nothing differs"
    assert not re.search(r"\b(?:kinds|families)\.|[{}]", "".join(said.values()))


@pytest.mark.parametrize("kind", ["kl-only", "reconstruction-only", "collapsed", "beta-low"])
def test_the_one_cloud_is_only_of_runs_that_are_one(kind: str) -> None:
    """Say nothing of codes that fill the prior where they do not."""
    assert "One cloud" in notices(VAE, WELL, "latent")
    assert "Nearly every draw is something" in notices(VAE, WELL, "sample")
    run, figures = OF_EACH_KIND[kind]
    assert "One cloud" not in notices(run, figures, "latent")
    assert "Nearly every draw" not in notices(run, figures, "sample")
    assert "fill the prior" not in notices(run, figures, "compare")


def test_the_notice_of_a_training_follows_the_run() -> None:
    said = [training_notice(*OF_EACH_KIND[kind]) for kind in ("plane", "kl-only", "reconstruction-only", "untrained")]
    assert len({*said, training_notice(VAE, WELL)}) == 5
    assert training_notice(CVAE, WELL) == training_notice(VAE, WELL) == en("train.notice.bound")
    assert "2.5 · KL" in training_notice(*OF_EACH_KIND["beta-high"])
    assert "0.00 nats" in training_notice(VAE, {"kl": -0.0})


def test_the_formula_has_the_weights_of_the_run() -> None:
    assert all(objective(RECIPES[name].config) == FAMILIES["vae"].objective for name in ("mnist-vae", "mnist-vae-16d"))
    assert objective(AE) == FAMILIES["ae"].objective
    assert r" + 2.5\cdot \mathrm{KL}" in objective(RECIPES["mnist-cvae-16d"].config)
    assert r" + 0\cdot \mathrm{KL}" in objective(RECIPES["mnist-reconstruction-only"].config)
    assert objective(RECIPES["mnist-kl-only"].config).startswith(r"0\cdot \mathbb E")


# --- its settings ---------------------------------------------------------------------------------------------------


def test_settings_are_those_that_differ_from_the_plain_run() -> None:
    assert settings(VAE) == settings(AE) == settings(RECIPES["mnist-quadrant"].config) == []
    assert settings(RECIPES["mnist-cvae-16d"].config) == ["β = 2.5"]
    assert settings(RECIPES["mnist-kl-only"].config) == ["reconstruction × 0"]
    assert settings(RECIPES["mnist-vae-conv"].config) == ["convolutional"]
    several = changed("mnist-vae", "objective", beta=0.0, free_bits=0.5, kl_warmup=3.0)
    assert settings(several) == ["β = 0", "0.5 free bits", "3 epochs of KL warm-up"]
    assert settings(changed("mnist-ae", "objective", beta=4.0, k=5)) == [], "they have no effect"
    assert settings(changed("mnist-vae", "model", likelihood="gaussian", sigma=0.5)) == ["Gaussian pixels", "σ = 0.5"]
    assert settings(tiny_run("cvae-predictive", task="label")) == ["predict the label"]


def test_a_card_says_beta_of_every_run_with_a_kl() -> None:
    assert trained_with(VAE) == ["20 epochs", "seed 0", "β = 1"]
    assert trained_with(RECIPES["mnist-cvae-16d"].config) == ["30 epochs", "seed 0", "β = 2.5"]
    assert trained_with(AE) == ["20 epochs", "seed 0"]


def test_runs_beside_each_other_say_where_they_differ() -> None:
    assert differing([AE, VAE, CVAE]) == [[], [], []], "the families differ, and nothing else"
    heavy = changed("mnist-vae", "objective", beta=4.0)
    assert differing([VAE, heavy]) == [["β = 1"], ["β = 4"]]
    assert differing([VAE, RECIPES["mnist-kl-only"].config, AE]) == [[], ["reconstruction × 0"], []]
    sixteen = [RECIPES[f"mnist-{family}-16d"].config for family in ("ae", "vae", "cvae")]
    assert differing(sixteen) == [["12 epochs"], ["β = 1", "30 epochs"], ["β = 2.5", "30 epochs"]]
    assert differing([VAE, RECIPES["digits-vae"].config])[1][:2] == ["Digits 8×8", "widths 128, 128"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_has_words(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "t", lambda key, **values: translate(language, key, **values))
    for section, options in kinds.OPTIONS.items():
        for name in options:
            for recipe in RECIPES.values():
                if options[name].applies(recipe.config):
                    words = kinds._words(recipe.config, section, name)
                    assert "kinds." not in words
                    assert "{" not in words


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(-0.0, 2, "0.00"), (-0.004, 2, "0.00"), (-0.006, 2, "-0.01"), (-0.04, 1, "0.0")]
)
def test_no_number_is_minus_zero(value: float, digits: int, text: str) -> None:
    assert fixed(value, digits) == text


# --- on the pages ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of runs that differ in their objective alone, and an AE of a plane and of more dimensions."""
    path = tmp_path_factory.mktemp("kinds")
    for name, family, changes in (
        ("plain", "vae", {}),
        ("heavy", "vae", {"beta": 4.0}),
        ("free", "vae", {"beta": 0.0}),
        ("mute", "vae", {"recon_weight": 0.0}),
        ("ae", "ae", {}),
        ("ae-5", "ae", {"latent_dim": 5}),
    ):
        for _ in fit(path / name, tiny_run(family, **changes), data=digits):
            pass
    return path


@pytest.fixture
def page(folders: Path, made: Path, open_page: Open) -> Callable[..., Any]:
    """Return `open_page` on the runs of `made`."""
    shutil.copytree(made, folders)
    Run(folders / "mute").write_metrics({"split": "test", "kl": -0.0, "kl_per_dim": [-0.0, -0.0], "neg_elbo": 206.0})

    def opened(name: str, *of: str, **link: str) -> Any:
        return open_page(name, lang="en", run=of[0], runs=",".join(of), **link)

    return opened


def texts(app: Any) -> str:
    alts = [chart.proto.alt for chart in app.get("plotly_chart")]
    return "\n".join([written(app), *alts, *(code.value for code in app.code)])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_speaks_of_the_run_and_not_of_the_family(page: Callable[..., Any], name: str) -> None:
    assert notices(tiny_run("vae", beta=0.0), {}, name) in texts(page(name, "free"))
    assert notices(tiny_run("vae", recon_weight=0.0), {}, name) in texts(page(name, "mute"))


@pytest.mark.parametrize("name", ["train", "latent", "sample", "compare", "measure"])
def test_every_page_has_the_settings_of_ones_own_run(page: Callable[..., Any], name: str) -> None:
    app = page(name, "heavy")
    assert "2 epochs, seed 0, β \\= 4" in texts(app) or "2 epochs, seed 0, β = 4" in texts(app)
    menus = [*app.selectbox, *app.multiselect]
    assert any("heavy · VAE · Digits 8×8 · z 2 · β = 4" in menu.options for menu in menus)


def test_runs_of_one_family_are_told_apart_by_their_settings(page: Callable[..., Any]) -> None:
    app = page("compare", "plain", "heavy")
    head = next(m.value for m in app.markdown if m.value.startswith("|Figure")).splitlines()[0]
    assert head.replace("\\", "").startswith("|Figure|VAE|VAE · β = 4|")
    assert "How these were trained: **VAE** β = 1; **VAE · β = 4**." in texts(app).replace("\\", "")
    assert "How these were trained" not in texts(page("compare", "plain"))


@pytest.mark.parametrize("run", ["ae", "ae-5"])
@pytest.mark.parametrize("name", PAGES)
def test_no_heading_and_no_caption_gives_an_ae_a_prior(page: Callable[..., Any], name: str, run: str) -> None:
    app = page(name, run)
    assert not [title.value for title in app.subheader if re.search("prior", title.value, re.IGNORECASE)]
    captions = [re.sub("no prior", "", caption.value, flags=re.IGNORECASE) for caption in app.caption]
    assert not [caption for caption in captions if "prior" in caption]
    assert not [s.help for s in app.slider if "prior" in (s.help or "")]


@pytest.mark.parametrize("name", ["latent", "compare", "measure", "train"])
def test_a_kl_of_nothing_has_no_sign(page: Callable[..., Any], name: str) -> None:
    assert not re.search(r"[-−]0\.0+(?!\d)", texts(page(name, "mute", "plain")))


def test_measured_figures_choose_the_words_of_a_page(page: Callable[..., Any], folders: Path) -> None:
    for _ in fit(folders / "labelled", tiny_run("cvae")):
        pass
    Run(folders / "labelled").write_metrics({"split": "test"} | WELL)
    assert "The colours mix." in texts(page("latent", "labelled"))
    Run(folders / "labelled").write_metrics({"split": "test"} | WELL | {"linear_probe_accuracy": 0.83})
    assert "reads the class off 83% of the codes" in texts(page("latent", "labelled"))
    assert "CVAE: the codes keep the class" in texts(page("measure", "labelled"))
    Run(folders / "labelled").write_metrics({"split": "test"} | WELL | {"kl": 0.0})
    assert "The measured KL is 0.00 nats" in texts(page("sample", "labelled"))


def test_the_explorer_names_a_run_with_its_settings(page: Callable[..., Any]) -> None:
    """Not the family alone: the run beside it may have another β."""
    app = page("sample", "heavy")
    assert "VAE · β = 4" in set(shown(app.main))
