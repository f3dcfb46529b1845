"""Define the fixtures of the command line: a command in an empty directory, and one that is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.cli import Answer

from cvae.cli import main
from cvae.runs.folder import Run


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Return `cli("train", ...)`, which runs one command in an empty directory, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVAE_RUNS", raising=False)

    def run(*argv: object) -> Answer:
        try:
            code = main([str(arg) for arg in argv])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(cli: Callable[..., Answer]) -> Callable[..., str]:
    """Return `refused("train", ...)`, the one line of a command that fails and leaves the directory as it was."""

    def run(*argv: object) -> str:
        before = tree(Path())
        answer = cli(*argv)
        assert answer.code == 2
        assert answer.err.startswith("cvae")
        assert answer.err.count("\n") == 1, answer.err
        assert "Traceback" not in answer.err
        assert tree(Path()) == before
        return answer.err

    return run


@pytest.fixture
def run(trained: Callable[..., Run], tmp_path: Path) -> Run:
    """Return a trained VAE, the run runs/vae."""
    return Run(shutil.copytree(trained("vae").path, tmp_path / "runs" / "vae"))


def tree(folder: Path) -> dict[str, float]:
    """Return the time of the last change of each file below a folder."""
    return {str(path): path.stat().st_mtime for path in folder.rglob("*") if path.is_file()}
