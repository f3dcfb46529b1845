"""What commands write: files of the kind that their names say, and never into a shipped run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cvae.assets import SHIPPED
from cvae.cli import main
from cvae.runs.folder import Run


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("CVAE_RUNS", raising=False)


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would take time fails the test."""

    def work(*args: object, **options: object) -> None:
        raise AssertionError("work was done")

    for place in ("explore.inference.Inference.load", "measuring.evaluation.load", "measuring.classifier.load_data"):
        monkeypatch.setattr(f"cvae.{place}", work)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    ("line", "suffix"),
    [
        ("sample digits-vae --out x.jpg", ".png"),
        ("sample digits-vae --out x.png.gif", ".png"),
        ("manifold digits-vae --out x.pdf", ".png"),
        ("evaluate digits-vae --out x.csv", ".json"),
        ("augment digits-cvae --out x.txt", ".json"),
    ],
)
def test_another_kind_of_file_is_refused_before_work(line: str, suffix: str, capsys: pytest.CaptureFixture[str]):
    assert main(line.split()) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert line.split()[-1] in sentence
    assert sentence.endswith(f"a name that ends in {suffix}.")
    assert list(Path().iterdir()) == []


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    "line",
    [
        "sample digits-vae --out nowhere/x.png",
        "manifold digits-vae --out .",
        "evaluate digits-vae --out nowhere/x.json",
        "classifier --data digits --out file",
        "gallery digits-vae --out file",
        "reproduce vae --out file",
        "reproduce vae --runs file",
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_work(line: str, capsys: pytest.CaptureFixture[str]):
    Path("file").write_text("mine")
    assert main(line.split()) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"cvae: cannot write to {line.split()[-1]}: ")
    assert Path("file").read_text() == "mine"


@pytest.mark.parametrize("name", ["x.PNG", "x"])
def test_a_name_of_that_kind_or_of_none_is_taken(name: str):
    assert main(["sample", "digits-vae", "--out", name]) == 0
    assert Path(name).read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def shipped(
    trained: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Run]]:
    """shipped(family): a trained run as one of the gallery; its files must be as before at the end."""
    gallery = tmp_path / "gallery"
    monkeypatch.setattr("cvae.runs.find.GALLERY", gallery)
    before = {}

    def make(family: str) -> Run:
        run = Run(shutil.copytree(trained(family).path, gallery / family))
        run.write_metrics({"nll": 1.0})
        before.update(files(gallery))
        return run

    yield make
    assert files(gallery) == before


def files(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


COMMANDS = {
    "evaluate": ("evaluate cvae --samples 2 --json", "metrics.json"),
    "augment": ("augment cvae --real 2 --generated 5 --seeds 1 --json", "augmentation.json"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_shipped_run_is_measured_and_stays_as_it_is(
    command: str, shipped: Callable[[str], Run], capsys: pytest.CaptureFixture[str]
):
    shipped("cvae")
    line, file = COMMANDS[command]
    assert main(line.split()) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["run"] == "cvae"
    assert err == (
        f"cvae: cvae is a shipped run, so its {file} stays as it is: --out FILE.json writes these figures elsewhere.\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_figures_go_to_the_file_that_is_asked_for(
    command: str, shipped: Callable[[str], Run], capsys: pytest.CaptureFixture[str]
):
    shipped("cvae")
    assert main([*COMMANDS[command][0].split(), "--out", "figures.json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(Path("figures.json").read_text(encoding="utf-8")) == json.loads(out)


def test_figures_of_a_run_of_ones_own_go_to_the_file_alone(trained: Callable[..., Run]):
    run = Run(shutil.copytree(trained("vae").path, Path("runs/mine")))
    assert main(["evaluate", "mine", "--samples", "2", "--out", "figures.json"]) == 0
    assert run.metrics() is None
    assert main(["evaluate", "mine", "--samples", "2"]) == 0
    assert run.metrics() == json.loads(Path("figures.json").read_text(encoding="utf-8"))


def test_the_runs_of_the_project_are_shipped_ones():
    before = files(SHIPPED / "digits-vae")
    assert main(["evaluate", "digits-vae", "--samples", "1"]) == 0
    assert files(SHIPPED / "digits-vae") == before
