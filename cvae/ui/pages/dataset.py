"""Let the user choose the data of a training: a registered set, downloaded on request, or a file of their own."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from cvae.conditions import Condition
from cvae.config import DataConfig
from cvae.data import DATASETS, Dataset, load_data
from cvae.data.registry import default_folder
from cvae.errors import InputError, KeyedError
from cvae.runs.files import unreadable
from cvae.ui.frame.messages import problem
from cvae.ui.frame.text import escape_markdown, t

OWN = "own"  # the option that opens the upload
CHOICE = "train.data"  # the session's key for the choice


@dataclass(frozen=True)
class Choice:
    """A Choice describes a data set that is ready for training."""

    config: DataConfig
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    further: tuple[Condition, ...] = ()  # its conditions beside the label


def dataset_choice() -> Choice | None:
    """Show the menu of data sets, and offer a download or upload if needed; return None until the data are ready."""
    own = sorted(str(path.resolve()) for path in (default_folder() / "own").glob("*.npz"))
    options = [*DATASETS, *own, OWN]
    if st.session_state.get(CHOICE) not in options:
        st.session_state[CHOICE] = options[0]
    chosen = st.selectbox(
        t("train.data"), options, format_func=_title, key=CHOICE, help=t("train.data_help"), persist_state="session"
    )
    if chosen == OWN:
        _upload()
        return None
    if chosen in DATASETS:
        dataset = DATASETS[chosen]
        if dataset.missing(None):
            _offer_download(dataset)
            return None
        return Choice(DataConfig(chosen), dataset.image_shape, dataset.class_names, dataset.further)
    try:
        shape, names, count, note = _own(chosen, Path(chosen).stat().st_mtime_ns)
    except (InputError, OSError) as error:
        problem(error if isinstance(error, InputError) else unreadable(error))
        return None
    described = t("train.own_is", count=f"{count:,}", shape="×".join(map(str, shape[1:])), classes=len(names))
    st.caption(f"{described} {escape_markdown(note)}")
    return Choice(DataConfig(chosen), shape, names)


def _title(option: str) -> str:
    if option == OWN:
        return t("train.own")
    if option not in DATASETS:
        return Path(option).stem
    dataset = DATASETS[option]
    return dataset.title if not dataset.missing(None) else t("train.absent", name=dataset.title)


# --- download -------------------------------------------------------------------------------------------------------


def _offer_download(dataset: Dataset) -> None:
    st.caption(t("train.download_to", folder=escape_markdown(str(default_folder())), licence=dataset.licence))
    if st.button(t("train.download", name=dataset.title), icon=":material/download:"):
        failure = _download(dataset)
        if failure is None:
            st.rerun()
        problem(failure)


def _download(dataset: Dataset) -> KeyedError | str | None:
    """Download a data set with a progress bar; return the error, if any. The download survives a change of the page."""
    bar = st.progress(0.0, text=t("train.downloading", name=dataset.title, done="0"))
    process = subprocess.Popen(
        [sys.executable, "-m", "cvae.data", dataset.id, str(default_folder())],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    failure: KeyedError | None = None
    last = ""
    for line in process.stdout:
        last = line.strip() or last
        with contextlib.suppress(ValueError):
            report = json.loads(line)
            if "error" in report:
                failure = KeyedError.from_json(report["error"])
            else:
                text = t("train.downloading", name=report["file"], done=f"{report['done'] / 1e6:.1f}")
                bar.progress(min(1.0, report["done"] / (report["total"] or report["done"] or 1)), text=text)
    failed = process.wait() != 0
    return failure or (last if failed else None)


# --- the user's own data --------------------------------------------------------------------------------------------


def _upload() -> None:
    st.file_uploader(
        t("train.upload"), type="npz", key="train.upload", on_change=_take_upload, help=t("train.upload_help")
    )
    st.caption(t("train.upload_is"))
    if refused := st.session_state.get("train.upload_problem"):
        problem(refused)


def _take_upload() -> None:
    """Keep an uploaded file if it is a data set; else tell the user why it is not."""
    file = st.session_state.get("train.upload")
    st.session_state["train.upload_problem"] = None
    if file is None:
        return
    stem = re.sub(r"[^\w.-]+", "_", Path(file.name.replace("\\", "/")).stem).strip("._-")[:60] or "images"
    folder = default_folder() / "own"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".upload-", dir=folder))
    except OSError as error:
        st.session_state["train.upload_problem"] = t("train.no_space", reason=error.strerror or str(error))
        return
    try:
        path = aside / f"{stem}.npz"
        path.write_bytes(file.getbuffer())
        load_data(DataConfig(str(path)))
        final = folder / path.name
        if final.exists() and final.read_bytes() != path.read_bytes():  # runs may use the older file
            final = next(p for n in range(2, 10_000) if not (p := folder / f"{stem}-{n}.npz").exists())
        path.replace(final)
        st.session_state[CHOICE] = str(final.resolve())
    except InputError as error:
        st.session_state["train.upload_problem"] = _renamed(error, path, file.name[:80])
    except OSError as error:
        st.session_state["train.upload_problem"] = t("train.no_space", reason=error.strerror or str(error))
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _renamed(error: InputError, path: Path, name: str) -> InputError:
    """Return the same error with the user's name of the file in place of its path."""
    texts = {gap: str(value) for gap, value in error.values.items() if isinstance(value, (str, Path))}
    renamed = {gap: value.replace(str(path), name) for gap, value in texts.items()}
    return type(error)(error.key, **{**error.values, **renamed})


@st.cache_data(max_entries=16, show_spinner=False)
def _own(path: str, mtime: int) -> tuple[tuple[int, int, int], tuple[str, ...], int, str]:
    data = load_data(DataConfig(path))
    count = len(data.train) + len(data.validation) + len(data.test)
    return data.image_shape, data.class_names, count, data.note
