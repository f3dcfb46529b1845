"""Protocols: what they train, what they take as it is, and what they write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.data import complaint
from helpers.engine import tiny_run

from cvae.cli import main
from cvae.measuring.reproduce import finished, reproduce
from cvae.results.protocols import PROTOCOLS, Figure, Protocol, Published
from cvae.results.tables import Result, read, rows
from cvae.runs.folder import Run
from cvae.training.loop import fit


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Protocol:
    """A protocol of two trainings on the digits, known by the name `tiny`."""
    protocol = Protocol(
        "to be tested",
        {f"vae-{seed}": tiny_run(epochs=2, batch_size=512, seed=seed) for seed in (0, 1)},
        (Figure("VAE", "nll", ("vae-0", "vae-1"), (Published(30.0, "a paper", "unverified"),)),),
        samples=3,
        samples_published=5000,
        epochs_published=100,
    )
    monkeypatch.setitem(PROTOCOLS, "tiny", protocol)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVAE_RUNS", raising=False)
    return protocol


def again(**options: Any) -> Result:
    return reproduce("tiny", **{"runs": Path("runs"), "results": Path("results"), **options})


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs that were measured, in no time: where it matters that they are, not what comes of it."""
    names: list[str] = []

    def measure(path: Path, *, samples: int, seed: int, **options: Any) -> dict[str, Any]:
        run = Run(path)
        names.append(run.name)
        figures = {"nll": 30.0 + len(names), "nll_samples": samples, "seed": seed, "step": run.weights_step()}
        run.write_metrics(figures)
        return figures

    monkeypatch.setattr("cvae.measuring.reproduce.evaluate", measure)
    return names


def forbidden(*args: object) -> None:
    raise AssertionError("it trained")


def test_a_protocol_is_trained_measured_and_written() -> None:
    result = again()
    assert read(Path("results")) == {"tiny": json.loads(json.dumps(result))}
    assert result["command"] == "python -m cvae reproduce tiny"
    assert (result["samples"], result["threads"], result["seed"]) == (3, 1, 0)
    for seed in (0, 1):
        run, found = Run(f"runs/reproduce-tiny-vae-{seed}"), result["runs"][f"vae-{seed}"]
        assert found["metrics"] == run.metrics()
        assert found["config"] == run.config().to_json()
        assert (found["epochs"], found["epochs_published"], found["seed"]) == (2, 100, seed)
        records = [record for record in run.history() if record["split"] == "validation"]
        assert [epoch for epoch, _ in found["curve"]] == [1, 2]
        assert found["curve"][-1][1] == pytest.approx(records[-1]["neg_elbo"], abs=1e-3)
        assert found["seconds"] == pytest.approx(run.history()[-1]["seconds"], abs=0.1)
    (row,) = rows({"tiny": result})
    values = [found["metrics"]["nll"] for found in result["runs"].values()]
    assert row.ours == pytest.approx(sum(values) / 2)
    assert row.spread == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert row.difference == "2 of 100 epochs; 3 of 5,000 samples of z an image"


@pytest.mark.usefixtures("measured")
def test_nothing_of_this_machine_is_written_but_its_name(tmp_path: Path) -> None:
    again(data_dir=str(tmp_path))
    assert Run("runs/reproduce-tiny-vae-0").config().data.dir == str(tmp_path)
    assert str(tmp_path) not in Path("results/tiny.json").read_text()


def test_what_is_there_is_neither_trained_nor_measured_again(measured: list[str]) -> None:
    first = again()
    assert measured == ["reproduce-tiny-vae-0", "reproduce-tiny-vae-1"]
    assert again(train=forbidden) == first
    assert len(measured) == 2
    again(train=forbidden, samples=4)  # it is another figure
    assert len(measured) == 4


def test_a_training_that_was_interrupted_is_gone_on_with(tiny: Protocol) -> None:
    path, config = Path("runs/reproduce-tiny-vae-0"), tiny.runs["vae-0"]
    for record in fit(path, config):
        if record["split"] == "validation":
            break  # after the first epoch
    assert Run(path).status().state == "stopped"
    step = Run(path).status().step
    finished(path, config)
    assert Run(path).status().state == "finished"
    assert [r["step"] for r in Run(path).history() if r["split"] == "validation"] == [step, 2 * step]


def test_a_training_that_is_stopped_ends_the_protocol() -> None:
    def stops(path: Path, config: Any, data: Any, resume: bool) -> None:
        next(iter(fit(path, config, data=data, resume=resume)))

    assert "the same command goes on" in complaint(lambda: again(train=stops))
    assert not Path("results").exists()


@pytest.mark.usefixtures("measured")
def test_a_run_of_another_config_is_in_the_way() -> None:
    again()
    assert "epochs is 2 and not 1" in complaint(lambda: again(epochs=1))


@pytest.mark.usefixtures("measured")
def test_a_shorter_protocol_says_so() -> None:
    result = again(epochs=1, seed=4)
    assert result["command"] == "python -m cvae reproduce tiny --epochs 1 --seed 4"
    assert [run["epochs"] for run in result["runs"].values()] == [1, 1]
    assert [run["seed"] for run in result["runs"].values()] == [4, 5]
    assert result["runs"]["vae-0"]["metrics"]["seed"] == 4


@pytest.mark.usefixtures("measured")
def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in PROTOCOLS)
    assert main(["reproduce", "tiny", "--samples", "2", "--out", "results"]) == 0
    printed = capsys.readouterr().out
    assert "30 a paper" in printed
    assert read(Path("results"))["tiny"]["command"] == "python -m cvae reproduce tiny --samples 2"
    for wrong in (["nothing"], ["tiny", "--samples", "0"], ["tiny", "--epochs", "0"], ["tiny", "--seed", "-1"]):
        assert main(["reproduce", *wrong]) == 2


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_figure_is_of_a_run_of_its_protocol(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert {label for figure in protocol.figures for label in figure.runs} == protocol.runs.keys()
    assert len({(figure.what, figure.key) for figure in protocol.figures}) == len(protocol.figures)
    for figure in protocol.figures:
        assert all(published.source and published.value > 0 for published in figure.published)
