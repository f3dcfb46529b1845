"""Run folders that the last version made open, resume to the weights that it gives, and measure to its figures."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import cvae
from cvae.explore.inference import Inference
from cvae.runs.files import Arrays
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.training.worker import work

FROZEN = Path(__file__).parent / "frozen"
RESUMED = sorted(
    path.stem for path in FROZEN.glob("*.zip") if not path.stem.startswith(("finished", "queue", "expected"))
)
FINISHED = sorted(path.stem for path in FROZEN.glob("finished-*.zip"))


def thaw(name: str, folder: Path) -> Run:
    """Unpack a run; where it names the folder of its data, that is where they lie here."""
    with zipfile.ZipFile(FROZEN / f"{name}.zip") as archive:
        archive.extractall(folder / name)
    for config in (folder / name).rglob("config.json"):
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace('"/frozen', f'"{FROZEN.as_posix()}'), encoding="utf-8")
    return Run(folder / name)


def expected(name: str) -> Arrays:
    with zipfile.ZipFile(FROZEN / "expected.zip") as archive:
        return safetensors.numpy.load(archive.read(f"{name}.safetensors"))


def check_weights(run: Run, name: str) -> None:
    weights, wanted = run.weights(), expected(name)
    assert weights.keys() == wanted.keys()
    for key, values in weights.items():
        np.testing.assert_allclose(values, wanted[key], rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", RESUMED)
def test_a_run_of_the_last_version_opens_and_resumes_to_its_weights(name: str, tmp_path: Path) -> None:
    run = thaw(name, tmp_path)
    assert run.status().state in ("stopped", "interrupted")
    step, records = run.status().step, len(run.history())
    assert run.codes()["codes"].shape[1] == Inference.load(run).latent_dim
    for _ in cvae.fit(run.path, resume=True):
        pass
    assert run.status().state == "finished"
    assert run.status().step > step
    assert len(run.history()) > records
    check_weights(run, name)


def test_a_run_that_waits_in_the_old_queue_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Jobs, "_start_worker", lambda self: None)
    jobs = Jobs(thaw("queue", tmp_path).path)
    run = Run(jobs.folder / "queued-cvae")
    assert run.status().state == "queued"
    work(jobs, idle_seconds=0)
    assert run.status().state == "finished"
    check_weights(run, "queued-cvae")


@pytest.mark.parametrize("name", FINISHED)
def test_a_finished_run_measures_to_its_figures(name: str, tmp_path: Path) -> None:
    run = thaw(name, tmp_path)
    before = run.metrics()
    assert before is not None
    found = cvae.evaluate(run.path, samples=20)
    assert found.keys() >= before.keys()
    for figure, value in before.items():
        if isinstance(value, (float, list)):
            np.testing.assert_allclose(found[figure], value, rtol=1e-3, err_msg=figure)
        elif figure != "run":
            assert found[figure] == value, figure


def test_every_family_of_that_version_is_here() -> None:
    with zipfile.ZipFile(FROZEN / "cvae.zip") as archive:
        assert json.loads(archive.read("config.json"))["format"] == 1
    families = {"ae", "vae", "cvae", "cvae-learned-prior", "cvae-predictive-quadrants", "cvae-predictive-label", "cmma"}
    assert families <= set(RESUMED)
