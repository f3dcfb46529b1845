"""The settings of a training on the pages: what is offered, what is refused, what is asked of the queue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.app import Open, button, checked, en, field, sentences, written
from helpers.engine import tiny_run
from streamlit.testing.v1 import AppTest

from cvae.config import ObjectiveConfig
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.runs.status import Status

pytestmark = pytest.mark.usefixtures("folders")


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
