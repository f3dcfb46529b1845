"""The command line and its terminal: narrow ones, closed pipes and streams, Ctrl-C, and warnings of libraries."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.cli import QUICK
from helpers.engine import wait_until

from cvae.cli import main
from cvae.cli.terminal import command, fitted
from cvae.errors import Notice
from cvae.results.recipes import recipe
from cvae.runs.folder import Run

ROOT = Path(__file__).parents[2]
SHELL = pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes the streams")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVAE_RUNS", raising=False)


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in which `$CVAE` is the command line; the exit status is that of the first command."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CVAE": f"{shlex.quote(sys.executable)} -m cvae"}
    return subprocess.run(
        ["bash", "-c", f'{line}; exit "${{PIPESTATUS[0]}}"'],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


# --- the width


@pytest.mark.parametrize("width", [1, 10, 24, 40, 60, 80, 100, 200])
def test_no_line_of_the_progress_is_wider_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["train", *QUICK, "--batch-size", "200"]) == 0
    before, *lines, after = terminal.getvalue().split("\r")
    assert "images" in before
    assert len(lines) >= 1
    shown = [*lines, after.splitlines()[0]]
    assert max(len(line.rstrip("\n")) for line in shown) <= max(1, width - 1)
    assert all(line.startswith("epoch"[: width - 1]) for line in shown)
    assert ("neg_elbo" in shown[-1]) == (width >= 40)
    assert ("images/s" in shown[-1]) == (width == 200)


def test_what_matters_least_is_left_out_first():
    parts = [(0, "epoch"), (2, "split"), (1, "loss"), (3, "rate")]
    assert fitted(parts, 100) == "epoch  split  loss  rate"
    assert fitted(parts, 23) == "epoch  split  loss"
    assert fitted(parts, 17) == "epoch  loss"
    assert fitted(parts, 3) == "epo"


def test_a_file_gets_whole_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("COLUMNS", "20")
    assert main(["train", *QUICK]) == 0
    assert "images/s" in capsys.readouterr().out


# --- streams


@SHELL
@pytest.mark.parametrize("line", ["$CVAE list | true", "$CVAE list 2>&1 | true", "$CVAE --help | true"])
def test_a_pipe_that_nobody_reads_ends_without_a_traceback(line: str, tmp_path: Path):
    answer = shell(line, tmp_path)
    assert answer.stderr == ""
    assert answer.returncode in (0, 141)


@SHELL
def test_a_training_whose_reader_goes_is_stopped_and_saved(tmp_path: Path):
    train = f"$CVAE train {shlex.join(QUICK)} --epochs 100000 --run 'my run'"
    answer = shell(f"{train} | head -1", tmp_path)
    assert answer.returncode == 141
    assert "Traceback" not in answer.stderr
    assert "Exception" not in answer.stderr
    assert command("train", "--resume", "--run", "runs/my run") in answer.stderr
    assert "'runs/my run'" in answer.stderr
    run = Run(tmp_path / "runs" / "my run")
    assert run.status().state == "stopped"
    assert (run.path / "checkpoint.safetensors").exists()


@SHELL
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_fail(closed: str, tmp_path: Path):
    answer = shell(f"$CVAE train {shlex.join(QUICK)} --run mine {closed}", tmp_path)
    assert answer.returncode == 0
    assert answer.stderr == ""
    assert Run(tmp_path / "runs/mine").status().state == "finished"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    answer = shell("$CVAE list > /dev/full", tmp_path)
    assert answer.returncode == 2
    assert answer.stderr == "cvae: no space left on device.\n"


# --- Ctrl-C


@contextlib.contextmanager
def pressed(run: Run, after: int = 0) -> Iterator[None]:
    """Somebody presses Ctrl-C, once the run has gone beyond the step `after`."""

    def press() -> None:
        wait_until(lambda: run.path.exists() and run.status().step > after)
        os.kill(os.getpid(), signal.SIGINT)

    finger = threading.Thread(target=press)
    finger.start()
    yield
    finger.join()


@pytest.mark.parametrize("name", ["mine", "my own run", "it's; $HOME `x`", 'a "b"'])
def test_ctrl_c_says_how_to_go_on(name: str, capsys: pytest.CaptureFixture[str]):
    with pressed(Run(Path("runs") / name)):
        assert main(["train", *QUICK, "--epochs", "100000", "--run", name]) == 0
    out = capsys.readouterr().out
    line = out[out.index("python -m cvae train") :].strip()
    assert shlex.split(line) == ["python", "-m", "cvae", "train", "--resume", "--run", f"runs/{name}"]
    step = Run(Path("runs") / name).status().step
    with pressed(Run(Path("runs") / name), after=step):
        assert main(shlex.split(line)[3:]) == 0
    assert Run(Path("runs") / name).status().step > step


def test_the_hint_after_a_training_quotes_the_name(capsys: pytest.CaptureFixture[str]):
    assert main(["train", *QUICK, "--run", "it's"]) == 0
    out = capsys.readouterr().out
    line = out[out.index("python -m cvae evaluate") :].strip()
    assert shlex.split(line)[3:] == ["evaluate", "runs/it's"]


def test_the_line_that_moved_stays_when_a_training_is_stopped(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    with pressed(Run("runs/mine")):
        assert main(["train", *QUICK, "--epochs", "100000", "--batch-size", "1", "--run", "mine"]) == 0
    *_, moved, last = terminal.getvalue().splitlines()
    assert moved.startswith("epoch")
    assert last.startswith("stopped after")


def test_a_second_ctrl_c_says_how_to_go_on_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def twice(record: object, config: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cvae.cli.training._show", twice)
    assert main(["train", *QUICK, "--run", "my run"]) == 130
    assert "To go on: python -m cvae train --resume --run 'runs/my run'\n" in capsys.readouterr().err


def test_what_is_said_of_an_unfinished_run_can_be_pasted(capsys: pytest.CaptureFixture[str]):
    Run.create("runs/it's mine", recipe("digits-vae").config, "stopped")
    assert main(["gallery", "digits-vae", "--from", "it's mine", "--out", "out"]) == 2
    err = capsys.readouterr().err
    assert shlex.split(err[err.index("`") + 1 : err.rindex("`")])[3:] == [
        "train",
        "--resume",
        "--run",
        "runs/it's mine",
    ]


# --- warnings


def test_warnings_of_libraries_are_not_shown_and_those_of_the_project_are_sentences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def complain(*args: object) -> list[object]:
        warnings.warn("lbfgs failed to converge", RuntimeWarning, stacklevel=1)
        warnings.warn("this is deprecated", FutureWarning, stacklevel=1)
        notice = Notice("measure.not_written", name="mine", file="a.json", reason="the disk is full")
        warnings.warn(notice, stacklevel=1)
        return []

    monkeypatch.setattr(sys, "warnoptions", [])
    monkeypatch.setattr("cvae.cli.exploring.runs_in", complain)
    before = warnings.showwarning
    assert main(["list"]) == 0
    assert capsys.readouterr().err == 2 * "cvae: a.json of mine could not be written: the disk is full.\n"
    assert warnings.showwarning is before
