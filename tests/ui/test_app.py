"""The app as a script: every page in both languages, with and without runs; links, settings, uploads, failures."""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import streamlit as st
from helpers.engine import tiny_run
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from cvae.config import ObjectiveConfig
from cvae.errors import InputError, KeyedError
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs, fail
from cvae.runs.status import Status
from cvae.ui.frame import pages
from cvae.ui.frame.text import translate

ROOT = Path(__file__).parents[2]
PAGES = tuple(page.id for page in pages.PAGES)
Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs folder of its own, no shipped runs, no data, and no processes; returns the runs folder."""
    monkeypatch.setenv("CVAE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("CVAE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("cvae.ui.parts.runs.GALLERY", tmp_path / "gallery")
    monkeypatch.setattr(Jobs, "_start_worker", lambda self: None)
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "runs"


@pytest.fixture
def open_page() -> Open:
    def opened(page: str, **link: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.query_params.update(link)
        app.switch_page(f"pages/{page}.py")
        return checked(app.run())

    return opened


@pytest.fixture
def digits_run(folders: Path, trained: Callable[..., Run]) -> Run:
    """A finished run, `mine`."""
    shutil.copytree(trained("cvae").path, folders / "mine")
    return Run(folders / "mine")


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def sentences(app: AppTest) -> str:
    """What the page says in boxes."""
    return "\n".join(str(box.value) for kind in (app.error, app.warning, app.info) for box in kind)


def written(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*app.markdown, *app.caption, *app.subheader))


def en(key: str, **values: Any) -> str:
    return translate("en", key, **values)


def button(app: AppTest, label: str) -> Any:
    return next(b for b in app.button if b.label == label)


def field(app: AppTest, key: str) -> Any:
    widgets = (*app.selectbox, *app.number_input, *app.text_input, *app.toggle)
    return next(widget for widget in widgets if widget.key == f"train.{key}")


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
    assert field_options(open_page("train")) == ["mine · CVAE · Digits 8×8 · z 2"]


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


# --- settings and start ---------------------------------------------------------------------------------------------


def test_start_queues_what_is_set(open_page: Open):
    app = open_page("train")
    field(app, "family").set_value("cmma")
    field(app, "net").set_value("conv")
    field(app, "latent_dim").set_value(3)
    field(app, "beta").set_value(2.5)
    field(app, "seed").set_value(7)
    field(app, "name").set_value("my run")
    checked(app.run())
    field(app, "channels").set_value("4, 8")
    checked(app.run())
    button(app, en("train.start")).click()
    checked(app.run())
    config = Run(Jobs().folder / "my run").config()
    assert Jobs().waiting() == ["my run"]
    model = config.model
    assert (model.family, model.net, model.latent_dim, model.channels) == ("cmma", "conv", 3, (4, 8))
    assert (config.objective.beta, config.train.seed, config.train.epochs) == (2.5, 7, 100)
    assert app.query_params["run"] == "my run"


def test_settings_without_effect_are_not_shown(open_page: Open):
    def shown(app: AppTest) -> set[str]:
        widgets = (*app.selectbox, *app.number_input, *app.text_input, *app.toggle)
        return {str(widget.key).removeprefix("train.") for widget in widgets}

    app = open_page("train")
    assert {"channels", "sigma", "task", "quadrants", "alpha"} & shown(app) == set()
    assert {"beta", "kl_warmup", "free_bits", "k"} <= shown(app)
    for name, value in (("family", "cvae-predictive"), ("net", "conv"), ("likelihood", "gaussian"), ("k", 5)):
        field(app, name).set_value(value)
        checked(app.run())
    assert {"channels", "sigma", "task", "quadrants", "alpha"} <= shown(app)
    assert "free_bits" not in shown(app)
    field(app, "task").set_value("label")
    checked(app.run())
    assert {"quadrants", "likelihood", "sigma"} & shown(app) == set()
    field(app, "family").set_value("ae")
    checked(app.run())
    assert {"beta", "kl_warmup", "free_bits", "k", "alpha"} & shown(app) == set()
    button(app, en("train.start")).click()
    checked(app.run())
    assert Run(Jobs().folder / "ae-digits-1").config().objective == ObjectiveConfig()


def test_a_wrong_setting_is_a_sentence_and_nothing_is_lost(open_page: Open):
    app = open_page("train")
    field(app, "seed").set_value(7)
    field(app, "hidden").set_value("400, many")
    checked(app.run())
    assert "no list of layer widths" in sentences(app)
    assert button(app, en("train.start")).disabled
    assert (field(app, "seed").value, field(app, "hidden").value) == (7, "400, many")
    field(app, "hidden").set_value("99999")
    checked(app.run())
    assert "must be a whole number" in sentences(app).replace("\\", "")


@pytest.mark.parametrize(("name", "said"), [("../up", "cannot name a run"), ("mine", "exists already")])
@pytest.mark.usefixtures("digits_run")
def test_a_name_that_cannot_be_is_a_sentence(open_page: Open, name: str, said: str):
    app = open_page("train")
    app.session_state["train.new"] = True  # with runs to watch, the settings are folded away
    checked(app.run())
    field(app, "name").set_value(name)
    checked(app.run())
    button(app, en("train.start")).click()
    checked(app.run())
    assert said in sentences(app).replace("\\", "")
    assert field(app, "name").value == name


def test_settings_survive_a_change_of_page(open_page: Open):
    app = open_page("train")
    field(app, "beta").set_value(4.0)
    checked(app.run())
    checked(app.switch_page("pages/start.py").run())
    checked(app.switch_page("pages/train.py").run())
    assert field(app, "beta").value == 4.0


def test_one_click_on_the_start_page_queues_a_small_training(open_page: Open):
    app = open_page("start")
    button(app, en("start.train")).click()
    checked(app.run())
    assert Jobs().waiting() == ["cvae-digits-1"]
    assert not button(app, en("live.stop")).disabled
    button(app, en("live.stop")).click()
    checked(app.run())
    assert Jobs().waiting() == []
    assert Run(Jobs().folder / "cvae-digits-1").status().state == "stopped"


def test_what_is_asked_of_a_training_reaches_it(open_page: Open, folders: Path):
    run = Run.create(folders / "mine", tiny_run())
    with run.lock():
        run.write_status(Status("running", step=5, steps=10, epochs=1))
        app = open_page("train")
        for name, action in (("pause", "pause"), ("step", "pause"), ("slow", "run"), ("stop", "stop")):
            button(app, en(f"live.{name}")).click()
            checked(app.run())
            assert json.loads((run.path / "control.json").read_text())["action"] == action


def test_a_run_is_deleted_only_when_it_is_meant(open_page: Open, digits_run: Run):
    app = open_page("train")
    assert en("live.delete_sure", name="mine") in written(app)
    assert digits_run.path.exists()
    button(app, en("live.delete_now")).click()
    checked(app.run())
    assert not digits_run.path.exists()
    assert en("train.nothing_yet") in sentences(app)


# --- data -----------------------------------------------------------------------------------------------------------


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zip_bomb() -> bytes:
    """A header that promises 100,000 images of 64×64, and 2 GB of zeros that pack to almost nothing."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (500_000, 64, 64)})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("images.npy", "w") as member:
        member.write(header.getvalue())
        for _ in range(64):
            member.write(bytes(2**24))
    return file.getvalue()


IMAGES = np.random.default_rng(0).integers(0, 256, (60, 12, 12), dtype=np.uint8)


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    field(app, "data").set_value("own")
    checked(app.run())
    app.file_uploader(key="train.upload").set_value((name, content, "application/octet-stream"))
    return checked(app.run())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GIF89a", "is not a readable .npz file"),
        (npz(pictures=IMAGES), "has no array `images`"),
        (npz(images=IMAGES[:3]), "at least 30"),
        (npz(images=np.array([{}, None], dtype=object)), "Python objects"),
        (npz(images=IMAGES, labels=np.arange(7)), "labels must have shape"),
        (zip_bomb(), "at most 512 MB"),
    ],
    ids=["no npz", "no images", "too few", "pickled", "labels do not fit", "zip bomb"],
)
def test_an_upload_that_is_no_data_set_is_a_sentence(open_page: Open, folders: Path, content: bytes, said: str):
    app = upload(open_page("train"), "mine.npz", content)
    box = sentences(app).replace("\\", "")
    assert said in box
    assert "mine" in box
    assert str(folders.parent) not in box
    assert not list((folders.parent / "data" / "own").iterdir())
    assert button(app, en("train.start")).disabled


@pytest.mark.parametrize("name", ["my images.npz", "../../../tmp/evil.npz", "..\\..\\evil.npz", "....npz", "图像.npz"])
def test_an_uploaded_data_set_is_kept_under_a_plain_name_and_trained_on(open_page: Open, folders: Path, name: str):
    app = upload(open_page("train"), name, npz(images=IMAGES, labels=np.arange(60) % 3))
    own = folders.parent / "data" / "own"
    (kept,) = own.iterdir()
    assert kept.suffix == ".npz"
    assert not kept.name.startswith(".")
    assert not list(folders.parent.glob("*.npz"))
    assert "60 images of 12×12 pixels, 3 classes" in written(app)
    button(app, en("train.start")).click()
    checked(app.run())
    (run,) = Jobs().waiting()
    config = Run(Jobs().folder / run).config()
    assert (config.data.name, config.model.image_shape) == (str(kept.resolve()), (1, 12, 12))
    assert config.model.class_names == ("0", "1", "2")


def test_another_file_of_the_same_name_replaces_nothing(open_page: Open, folders: Path):
    app = upload(open_page("train"), "mine.npz", npz(images=IMAGES))
    upload(app, "mine.npz", npz(images=IMAGES[::-1]))
    assert sorted(path.name for path in (folders.parent / "data" / "own").iterdir()) == ["mine-2.npz", "mine.npz"]


def test_without_labels_no_conditional_model_is_offered(open_page: Open):
    app = upload(open_page("train"), "mine.npz", npz(images=IMAGES))
    assert field(app, "family").options == ["AE", "VAE", "Predictive CVAE"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            'echo \'{"error": {"key": "file.unreadable", "values": {"path": "t10k", "reason": "gone"}}}\'; exit 2',
            "t10k cannot be read (gone).",
        ),
        ("echo Killed; exit 1", "Killed"),
        ('echo \'{"done": 5000000, "total": 9000000, "file": "train.gz"}\'; exit 0', None),
    ],
)
def test_a_download_says_how_it_goes(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str | None
):
    app = open_page("train")
    field(app, "data").set_value("mnist")
    checked(app.run())
    assert button(app, en("train.start")).disabled
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    button(app, en("train.download", name="MNIST")).click()
    checked(app.run())
    assert [str(box.value).replace("\\", "") for box in app.error] == ([said] if said else [])
