"""The app as a script: every page in both languages, with and without runs; links, and runs that are damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from helpers.app import Open, button, checked, en, sentences, written
from helpers.engine import tiny_run
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from cvae.errors import InputError, KeyedError
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs, fail
from cvae.runs.status import Status
from cvae.ui.frame import pages
from cvae.ui.frame.text import translate

PAGES = tuple(page.id for page in pages.PAGES)
pytestmark = pytest.mark.usefixtures("folders")


# --- every page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_without_a_run_every_page_says_what_to_do(open_page: Open, page: str, language: str):
    app = open_page(page, lang=language)
    expected = {"start": "start.nothing", "train": "train.nothing_yet"}.get(page, "runs.none")
    assert translate(language, expected) in sentences(app) + written(app)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("digits_run")
def test_with_a_run_every_page_shows_it(open_page: Open, page: str, language: str):
    app = open_page(page, lang=language)
    assert not app.error
    assert app.query_params["lang"] == language
    assert app.query_params.get("run", app.query_params.get("runs")) == "mine"


@pytest.mark.usefixtures("digits_run")
def test_the_language_changes_at_once_and_stays_in_the_link(open_page: Open):
    app = open_page("start")
    assert app.query_params["lang"] == "en"
    app.session_state["language"] = "en"
    app.button_group(key="language").set_value("zh").run()
    assert checked(app).query_params["lang"] == "zh"
    assert translate("zh", "start.runs") in written(app)


# --- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("digits_run")
@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"run": "gone"}, "There is no run"),
        ({"run": "../../etc"}, "There is no run"),
        ({"run": "![x](http://x)"}, r"There is no run “\!\[x\]"),
        ({"z": "0,x"}, None),
        ({"z": "1,inf"}, "cannot be used here"),
        ({"z": "1,1e9"}, "cannot be used here"),
        ({"z": "1,-39.5"}, None),
        ({"z": "1,2,3"}, None),
        ({"label": "x"}, "cannot be used here"),
        ({"label": "99"}, None),
        ({"label": "-1"}, "cannot be used here"),
        ({"label": "3:nan"}, "cannot be used here"),
        ({"label": "3:0"}, "cannot be used here"),
        ({"label": "3:1e308,3:1e308"}, "cannot be used here"),
        ({"label": "9" * 5000}, "cannot be used here"),
        ({"lang": "xx"}, None),
        ({"lang": "../en"}, None),
    ],
)
def test_a_wrong_link_is_a_sentence_and_the_page_goes_on(open_page: Open, link: dict[str, str], said: str | None):
    app = open_page("sample", **link)
    if said:
        assert said in sentences(app)
    assert app.query_params["lang"] == "en"


@pytest.mark.usefixtures("digits_run")
def test_a_link_brings_back_the_point_and_the_label(open_page: Open):
    app = open_page("start", run="mine", z="0.5,-1", label="3:0.5,8:0.5")
    assert (app.query_params["z"], app.query_params["label"]) == ("0.5,-1", "3:0.5,8:0.5")


@pytest.mark.usefixtures("digits_run")
def test_the_start_page_says_that_a_link_is_old(open_page: Open):
    app = open_page("start", run="gone")
    assert "There is no run" in sentences(app)
    assert app.query_params["run"] == "mine"


def test_a_link_brings_back_the_curves_laid_over(open_page: Open, digits_run: Run):
    shutil.copytree(digits_run.path, digits_run.path.with_name("other"))
    app = open_page("train", run="mine", over="other,gone")
    assert app.multiselect(key="train.overlay").value == ["other"]
    assert app.query_params["over"] == "other"


# --- runs on disk ---------------------------------------------------------------------------------------------------


def test_a_damaged_folder_is_listed_with_what_is_wrong(open_page: Open, digits_run: Run):
    damaged = digits_run.path.with_name("broken")
    shutil.copytree(digits_run.path, damaged)
    (damaged / "config.json").write_text("{")
    app = open_page("start")
    assert "broken" in written(app)
    assert "not readable JSON" in written(app).replace("\\", "")
    assert "mine" in written(app) or any(link.label == "mine" for link in app.get("page_link"))
    assert field_options(open_page("train")) == ["mine · CVAE · Digits 8×8 · z 2 · Gaussian pixels · σ = 0.4"]


def field_options(app: AppTest) -> list[str]:
    return next(menu.options for menu in app.selectbox if menu.key == "run_picker")


@pytest.mark.parametrize("name", ["status.json", "history.jsonl"])
def test_a_damaged_file_of_the_watched_run_is_a_sentence(open_page: Open, digits_run: Run, name: str):
    (digits_run.path / name).write_text("{\n{\n")
    app = open_page("train", run="mine")
    assert name in sentences(app).replace("\\", "")


def of_no_records(run: Path) -> None:
    (run / "history.jsonl").write_text("null\n")


def of_another_model(run: Path) -> None:
    (run / "metrics.json").write_text('{"kl_per_dim": [1, 2, 3]}')


def too_deep(run: Path) -> None:
    (run / "config.json").write_text("[" * 99_999)


def not_numbers(run: Path) -> None:
    weights = safetensors.numpy.load_file(run / "model.safetensors")
    save_file({name: np.full_like(weight, np.nan) for name, weight in weights.items()}, run / "model.safetensors")


def without_codes(run: Path) -> None:
    codes = safetensors.numpy.load_file(run / "codes.safetensors")
    save_file({name: values[:0] for name, values in codes.items()}, run / "codes.safetensors")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("damage", [of_no_records, of_another_model, too_deep, not_numbers, without_codes])
def test_damaged_files_are_a_sentence_on_every_page(
    open_page: Open, digits_run: Run, damage: Callable[[Path], None], page: str
):
    damage(digits_run.path)
    open_page(page, run="mine", runs="mine")


def test_a_damaged_model_leaves_the_rest_of_the_start_page(open_page: Open, digits_run: Run):
    not_numbers(digits_run.path)
    app = open_page("start")
    assert "The run “mine” cannot be read" in sentences(app)
    assert en("start.runs") in written(app)


def test_pages_that_decode_pass_over_a_run_that_failed_at_once(open_page: Open, digits_run: Run):
    failed = Run(digits_run.path.with_name("failed"))
    shutil.copytree(digits_run.path, failed.path)
    failed.write_status(Status("failed", "step 2: the loss became nan.", step=2, steps=10, epoch=0.1, epochs=5))
    assert open_page("latent").query_params["run"] == "mine"
    assert open_page("latent", run="failed").query_params["run"] == "failed"


def test_a_failure_is_told_in_the_language_of_the_page(open_page: Open, digits_run: Run):
    not_numbers(digits_run.path)
    assert "请重新训练" in sentences(open_page("sample", lang="zh"))


def test_why_a_run_failed_is_told_in_the_language_of_the_page(open_page: Open, folders: Path):
    run = Run.create(folders / "bad", tiny_run())
    fail(run, InputError("run.disk", reason=KeyedError("system.no_space")))
    app = open_page("start", lang="zh")
    app.session_state["start.training"] = "bad"
    assert "无法写入运行：磁盘已满" in sentences(checked(app.run()))
    run.write_status(Status("failed", "written by an older version"))
    assert "written by an older version" in sentences(checked(app.run()))


@pytest.mark.parametrize("page", PAGES)
def test_a_runs_folder_that_cannot_be_written_is_a_sentence(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CVAE_RUNS", str(tmp_path / "file" / "runs"))
    app = open_page(page)
    for start in [b for b in app.button if b.label in (en("train.start"), en("start.train"))]:
        start.click()
        assert "cannot write" in sentences(checked(app.run()))


@pytest.mark.parametrize("page", PAGES)
def test_a_run_deleted_under_the_page_is_no_surprise(open_page: Open, digits_run: Run, page: str):
    app = open_page(page)
    shutil.rmtree(digits_run.path)
    checked(app.run())


def test_a_shipped_run_is_explored_and_without_its_training_not_watched(open_page: Open, digits_run: Run):
    gallery = digits_run.path.parents[1] / "gallery" / "shipped"
    shutil.copytree(digits_run.path, gallery)
    shutil.rmtree(digits_run.path)
    for name in ("status.json", "history.jsonl"):
        (gallery / name).unlink()
    assert open_page("start").query_params["run"] == "shipped"
    assert en("train.nothing_yet") in sentences(open_page("train"))


def test_a_failed_run_offers_to_go_on(open_page: Open, folders: Path):
    run = Run.create(folders / "bad", tiny_run())
    run.write_status(Status("failed", "step 3: the loss became nan.", step=3, steps=10))
    app = open_page("train")
    assert not button(app, en("live.resume")).disabled
    assert button(app, en("live.pause")).disabled
    button(app, en("live.resume")).click()
    checked(app.run())
    assert Jobs().waiting() == ["bad"]
