"""The settings of a training, and the button that starts it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from cvae.config import LIKELIHOODS, NETS, DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig
from cvae.data import DATASETS
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.runs import queue as jobs
from cvae.runs.find import runs_folder, runs_in
from cvae.runs.queue import Jobs
from cvae.ui.frame.messages import problem
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.pages.dataset import Choice, dataset_choice
from cvae.ui.parts import runs

EPOCHS = {"digits": 100}  # for which it takes seconds
USUAL_EPOCHS = 20


@st.fragment
def new_training(expanded: bool) -> None:
    """All settings, each with what it does, and Start. What is set stays, whatever goes wrong."""
    if st.session_state.pop("train.fold", False):
        st.session_state["train.new"] = False
    panel = st.expander(t("train.new"), expanded, key="train.new", icon=":material/tune:", on_change="rerun")
    if not panel.open:  # two dozen controls that nobody sees would delay the page
        return
    with panel:
        bar = st.container(horizontal=True, vertical_alignment="center")
        config, name, wrong = _settings()
        with bar:
            if st.button(t("train.start"), type="primary", icon=":material/play_arrow:", disabled=config is None):
                assert config is not None
                try:
                    if name in {run.name for run in runs_in(runs_folder())}:
                        raise InputError(t("train.name_taken", name=name))
                    run = Jobs().submit(name or free_name(config), config)
                except InputError as error:
                    wrong = str(error)
                else:
                    st.session_state["train.fold"] = st.session_state["train.clear_name"] = True
                    runs.choose(run.name)
                    st.rerun()
            if wrong:
                problem(wrong)
            elif config:
                st.markdown(summary(config))


def summary(config: RunConfig) -> str:
    """One line that names what would be trained."""
    model = config.model
    words = t(
        "train.summary", family=FAMILIES[model.family].title, data=runs.data_title(config.data.name),
        net=t(f"train.nets.{model.net}"), z=model.latent_dim, epochs=config.train.epochs,
    )  # fmt: skip
    return escape_markdown(words)


def quick_config() -> RunConfig:
    """A small conditional model of the digits that comes with scikit-learn: trained in seconds, without a download."""
    digits = DATASETS["digits"]
    model = ModelConfig("cvae", image_shape=digits.image_shape, class_names=digits.class_names)
    train = TrainConfig(epochs=EPOCHS["digits"], threads=jobs.spare_threads())
    return RunConfig(DataConfig("digits"), model, ObjectiveConfig(), train)


def free_name(config: RunConfig) -> str:
    """The first free one of `cvae-digits-1`, `cvae-digits-2`, …"""
    data = "own" if config.data.name not in DATASETS else config.data.name
    names = (f"{config.model.family}-{data}-{n}" for n in range(1, 10_000))
    return next(name for name in names if not (runs_folder() / name).exists() and runs.find(name) is None)


def _settings() -> tuple[RunConfig | None, str, str | None]:
    """What is set, the name that is asked for, and in one sentence why it cannot be trained."""
    first, second, third = st.columns(3, gap="medium")
    with first:
        choice = dataset_choice()
        family = _family(choice)
        network = _network()
    with second:
        code = _code(family)
        objective = _objective()
    with third:
        train = _training(choice)
        with st.popover(t("train.more"), icon=":material/settings:", width="stretch"):
            more, rare, data = _more(family)
        if st.session_state.pop("train.clear_name", False):
            st.session_state["train.name"] = ""
        name = _text("name", "").strip()
    if choice is None:
        return None, name, None
    try:
        return RunConfig(
            dataclasses.replace(choice.config, **data),
            ModelConfig(
                family, **{**network, "hidden": _widths(network["hidden"]), "channels": _widths(network["channels"])},
                **code, **more, image_shape=choice.image_shape, class_names=choice.class_names,
            ),
            ObjectiveConfig(**objective, **rare),
            TrainConfig(**train, threads=jobs.spare_threads()),
        ), name, None  # fmt: skip
    except InputError as error:
        return None, name, str(error)


# --- the controls ---------------------------------------------------------------------------------------------------


def _menu(name: str, options: Sequence[str], words: Callable[[str], str], usual: str | None = None) -> str:
    key = f"train.{name}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = usual or options[0]
    return st.selectbox(
        t(key), options, format_func=words, key=key, help=t(f"{key}_help"), persist_state="session"
    )  # fmt: skip


def _whole(name: str, low: int, high: int, usual: int) -> int:
    key = f"train.{name}"
    st.session_state.setdefault(key, usual)
    return int(st.number_input(t(key), low, high, step=1, key=key, help=t(f"{key}_help"), persist_state="session"))


def _number(name: str, low: float, high: float, usual: float, step: float) -> float:
    key = f"train.{name}"
    st.session_state.setdefault(key, usual)
    return float(
        st.number_input(
            t(key), low, high, step=step, format="%g", key=key, help=t(f"{key}_help"), persist_state="session"
        )
    )


def _switch(name: str) -> bool:
    key = f"train.{name}"
    return st.toggle(t(key), key=key, help=t(f"{key}_help"), persist_state="session")


def _text(name: str, usual: str) -> str:
    key = f"train.{name}"
    st.session_state.setdefault(key, usual)
    return st.text_input(t(key), key=key, help=t(f"{key}_help"), persist_state="session", max_chars=60)


def _family(choice: Choice | None) -> str:
    labelled = choice is None or len(choice.class_names) > 1
    options = [family.id for family in FAMILIES.values() if labelled or not family.needs_labels()]
    return _menu("family", options, lambda name: FAMILIES[name].title, "cvae" if labelled else "vae")


def _network() -> dict[str, Any]:
    net = _menu("net", NETS, lambda name: t(f"train.nets.{name}"))
    hidden = _text("hidden", "400")
    return {"net": net, "hidden": hidden, "channels": _text("channels", "16, 32") if net == "conv" else "16, 32"}


def _code(family: str) -> dict[str, Any]:
    code: dict[str, Any] = {"latent_dim": _whole("latent_dim", 1, 128, 2)}
    if FAMILIES[family].completes:
        code["task"] = _menu("task", ("quadrants", "label"), lambda name: t(f"train.tasks.{name}"))
        if code["task"] == "quadrants":
            code["quadrants"] = _whole("quadrants", 1, 3, 1)
    code["likelihood"] = _menu("likelihood", LIKELIHOODS, lambda name: t(f"train.likelihoods.{name}"))
    if code["likelihood"] == "gaussian":
        code["sigma"] = _number("sigma", 0.01, 10.0, 1.0, 0.1)
    return code


def _objective() -> dict[str, Any]:
    return {"beta": _number("beta", 0.0, 100.0, 1.0, 0.5), "kl_warmup": _number("kl_warmup", 0.0, 1000.0, 0.0, 1.0)}


def _training(choice: Choice | None) -> dict[str, Any]:
    data = choice.config.name if choice else ""
    before = st.session_state.get("train.epochs_for", "")
    if choice and before != data:  # another data set has another usual length, unless the user has set one
        st.session_state["train.epochs_for"] = data
        if not before or st.session_state.get("train.epochs") == EPOCHS.get(before, USUAL_EPOCHS):
            st.session_state["train.epochs"] = EPOCHS.get(data, USUAL_EPOCHS)
    return {
        "epochs": _whole("epochs", 1, 100_000, USUAL_EPOCHS),
        "seed": _whole("seed", 0, 2**31 - 1, 0),
        "lr": _number("lr", 1e-6, 1.0, 1e-3, 1e-3),
        "lr_schedule": _menu("lr_schedule", ("constant", "cosine"), lambda name: t(f"train.schedules.{name}")),
    }


def _more(family: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What is rarely changed: of the model, of the objective, of the data."""
    model = {"activation": _menu("activation", ("relu", "tanh"), str)}
    objective: dict[str, Any] = {
        "recon_weight": _number("recon_weight", 0.0, 100.0, 1.0, 0.5),
        "free_bits": _number("free_bits", 0.0, 100.0, 0.0, 0.1),
        "k": _whole("k", 1, 100, 1),
    }
    if FAMILIES[family].completes:
        objective["alpha"] = _number("alpha", 0.0, 1.0, 1.0, 0.1)
    data = {"binarize": "dynamic" if _switch("binarize") else None, "full_train": _switch("full_train")}
    return model, objective, data


def _widths(text: str) -> tuple[int, ...]:
    """Layer widths as they are typed, "400, 200"."""
    parts = text.replace(",", " ").replace("，", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise InputError(t("train.widths_wrong", text=text[:40]))
    return tuple(map(int, parts))
