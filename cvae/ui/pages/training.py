"""Show the settings of a training, and the button that starts it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import streamlit as st

from cvae.conditions import LABEL
from cvae.config import OPTIONS, DataConfig, ModelConfig, ObjectiveConfig, RunConfig, TrainConfig, model_on
from cvae.data import DATASETS
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.options import Option, options_of
from cvae.runs import queue as jobs
from cvae.runs.find import runs_folder
from cvae.runs.queue import Jobs
from cvae.ui.frame.messages import problem
from cvae.ui.frame.text import escape_markdown, t
from cvae.ui.pages.dataset import Choice, dataset_choice
from cvae.ui.parts import runs
from cvae.ui.parts.kinds import data_title, settings

# The options by their place on the page: three columns, and the rarely used options below the third.
NETWORK = ("net", "hidden", "channels")
CODE = ("latent_dim", *OPTIONS["family"], "likelihood", "sigma", "beta", "kl_warmup")
TRAINING = ("epochs", "seed", "lr", "lr_schedule")
MORE = ("activation", "recon_weight", "free_bits", "k", "binarize", "full_train")

CHOICES: dict[str, Callable[[str], str]] = {  # the words of a value, for options whose values have words
    "family": lambda name: FAMILIES[name].title,
    "net": lambda name: t(f"train.nets.{name}"),
    "likelihood": lambda name: t(f"train.likelihoods.{name}"),
    "lr_schedule": lambda name: t(f"train.schedules.{name}"),
}
SMALLEST = 1e-6  # the lowest value of a control that must be above 0

FIELDS: dict[str, Option] = {name: option for options in OPTIONS.values() for name, option in options.items()}
OWNERS = {name: family.id for family in FAMILIES.values() for name in options_of(family.options)}


@st.fragment
def new_training(expanded: bool) -> None:
    """Show all settings with their help, and the Start button. The settings stay after an error."""
    if st.session_state.pop("train.fold", False):
        st.session_state["train.new"] = False
    panel = st.expander(t("train.new"), expanded, key="train.new", icon=":material/tune:", on_change="rerun")
    if not panel.open:  # two dozen hidden controls would delay the page
        return
    with panel:
        bar = st.container(horizontal=True, vertical_alignment="center")
        config, name, wrong = _settings()
        with bar:
            if st.button(t("train.start"), type="primary", icon=":material/play_arrow:", disabled=config is None):
                assert config is not None
                try:
                    run = Jobs().submit(name or free_names(config), config)
                except InputError as error:
                    wrong = InputError("train.name_taken", name=name) if error.key == "run.exists" else error
                else:
                    st.session_state["train.fold"] = st.session_state["train.clear_name"] = True
                    runs.choose(run.name)
                    st.rerun()
            if wrong:
                problem(wrong)
            elif config:
                st.markdown(summary(config))


def summary(config: RunConfig) -> str:
    """Return one line, in Markdown, that describes the training."""
    model = config.model
    words = t(
        "train.summary", family=FAMILIES[model.family].title, data=data_title(config.data.name),
        net=t(f"train.nets.{model.net}"), z=model.latent_dim, epochs=config.train.epochs,
    )  # fmt: skip
    return escape_markdown(" · ".join([words, *settings(config)]))


def quick_config() -> RunConfig:
    """Return the config of a small CVAE on scikit-learn's digits: it trains in seconds, without a download."""
    digits = DATASETS["digits"]
    model = ModelConfig("cvae", image_shape=digits.image_shape, class_names=digits.class_names)
    train = TrainConfig(epochs=digits.epochs, threads=jobs.spare_threads())
    return RunConfig(DataConfig("digits"), model, ObjectiveConfig(), train)


def free_names(config: RunConfig) -> Iterator[str]:
    """Yield the free names among `cvae-digits-1`, `cvae-digits-2`, …; another process may still take one."""
    data = "own" if config.data.name not in DATASETS else config.data.name
    shown = {entry.name for entry in runs.all_runs()}
    for n in range(1, 10_000):
        name = f"{config.model.family}-{data}-{n}"
        if name not in shown and not (runs_folder() / name).exists():
            yield name


def _settings() -> tuple[RunConfig | None, str, InputError | None]:
    """Show the settings; return their config, if they are valid, the name of the run, and the error, if any."""
    first, second, third = st.columns(3, gap="medium")
    with first:
        choice = dataset_choice()
        values = {"family": _family(choice), **_controls(NETWORK)}
    with second:
        values |= _condition(choice) | _controls(CODE)
    with third:
        _propose_epochs(choice)
        values |= _controls(TRAINING)
        with st.popover(t("train.more"), icon=":material/settings:", width="stretch"):
            values |= _controls(MORE)
        if st.session_state.pop("train.clear_name", False):
            st.session_state["train.name"] = ""
        st.session_state.setdefault("train.name", "")
        name = st.text_input(max_chars=60, **_words("name")).strip()
    if choice is None:
        return None, name, None
    try:
        return _config(choice, values), name, None
    except InputError as error:
        return None, name, error


def _config(choice: Choice, values: dict[str, Any]) -> RunConfig:
    """Return the config of the settings, whose widths are texts. Raises `InputError` if a setting is wrong."""
    values = {name: _widths(value) if FIELDS[name].kind == "widths" else value for name, value in values.items()}
    parts = {section: {n: v for n, v in values.items() if n in OPTIONS[section]} for section in OPTIONS}
    return RunConfig(
        dataclasses.replace(choice.config, **parts["data"]),
        model_on(choice, options=parts["family"], **parts["model"]),
        ObjectiveConfig(**parts["objective"]),
        TrainConfig(**parts["train"], threads=jobs.spare_threads()),
    )


# --- the controls ---------------------------------------------------------------------------------------------------


def control(name: str, choices: Sequence[str] | None = None, default: Any = None) -> Any:
    """Show the control of an option, perhaps with other choices or default; return its value (for widths, the text)."""
    option, words = FIELDS[name], _words(name)
    default = option.default if default is None else default
    if option.kind == "switch" or option.const is not None:  # a toggle turns on `const`, the value of the bare flag
        st.session_state.setdefault(words["key"], bool(default))
        on = st.toggle(**words)
        return on if option.kind == "switch" else option.const if on else None
    if option.kind == "choice":
        choices = choices or option.choices
        if st.session_state.get(words["key"]) not in choices:
            st.session_state[words["key"]] = default
        return st.selectbox(options=choices, format_func=CHOICES.get(name) or choice_of_family(name), **words)
    if option.kind == "widths":
        st.session_state.setdefault(words["key"], ", ".join(map(str, default)))
        return st.text_input(max_chars=60, **words)
    number = int if option.kind == "whole" else float
    low = max(option.low, SMALLEST) if option.above else option.low
    words |= {"min_value": number(low), "max_value": None if option.high == math.inf else number(option.high)}
    words |= {"step": number(option.step)} if number is int else {"step": number(option.step), "format": "%g"}
    st.session_state.setdefault(words["key"], number(default))
    return number(st.number_input(**words))


def _words(name: str) -> dict[str, Any]:
    """Return the arguments of every control: its words, and the session's key for its value."""
    family, key = OWNERS.get(name), f"train.{name}"
    words = f"families.{family}.options.{name}" if family else key
    return {"label": t(words), "key": key, "help": t(f"{words}_help"), "persist_state": "session"}


def choice_of_family(name: str) -> Callable[[str], str]:
    """Return a function from a value of a family's option to its words, or to the value itself if it has no words."""
    key = f"families.{OWNERS.get(name)}.options.{name}_choices"
    return lambda value: word if (word := t(f"{key}.{value}")) != f"{key}.{value}" else value


def _controls(names: Sequence[str]) -> dict[str, Any]:
    """Show the controls of the options that have an effect, and return their values."""
    return {name: control(name) for name in names if FIELDS[name].applies(_draft())}


def _draft() -> RunConfig:
    """Return a config of the session's choices and counts, which alone decide whether an option has an effect."""
    found: dict[str, dict[str, Any]] = {"model": {}, "family": {}, "objective": {}}
    for section, values in found.items():
        for name, option in OPTIONS[section].items():
            key = f"train.{name}"
            if option.kind in ("choice", "whole") and key in st.session_state:
                with contextlib.suppress(InputError):
                    option.check(st.session_state[key])
                    values[name] = st.session_state[key]
    model = model_on(DATASETS["digits"], options=found["family"], **found["model"])
    return RunConfig(model=model, objective=ObjectiveConfig(**found["objective"]))


def _family(choice: Choice | None) -> str:
    labelled = choice is None or len(choice.class_names) > 1
    conditional = labelled or bool(choice and choice.further)
    families = [family.id for family in FAMILIES.values() if conditional or family.takes != "condition"]
    chosen: str = control("family", families, "cvae" if labelled else "vae")
    return chosen


def _condition(choice: Choice | None) -> dict[str, tuple[str, ...]]:
    """Show the choice of conditions if the data have more than the label; return it as an option."""
    if choice is None or not choice.further or not FIELDS["condition"].applies(_draft()):
        return {}
    names = [*((LABEL,) if choice.class_names else ()), *(column.name for column in choice.further)]
    words = _words("condition")
    kept = [name for name in st.session_state.get(words["key"], ()) if name in names]
    st.session_state[words["key"]] = kept or names[:1]
    chosen = st.multiselect(options=names, format_func=lambda n: t("train.label") if n == LABEL else n, **words)
    return {"condition": tuple(chosen)} if chosen else {}


def _propose_epochs(choice: Choice | None) -> None:
    """Set the default number of epochs of a new data set, unless the user has changed the number."""
    data, before = choice.config.name if choice else "", st.session_state.get("train.epochs_for", "")
    if choice and before != data:
        st.session_state["train.epochs_for"] = data
        if not before or st.session_state.get("train.epochs") == _default_epochs(before):
            st.session_state["train.epochs"] = _default_epochs(data)


def _default_epochs(data: str) -> int:
    return DATASETS[data].epochs if data in DATASETS else TrainConfig.epochs


def _widths(text: str) -> tuple[int, ...]:
    """Parse layer widths, "400, 200". Raises `InputError` if a part is no whole number."""
    parts = text.replace(",", " ").replace("，", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise InputError("train.widths", text=text[:40])
    return tuple(map(int, parts))
