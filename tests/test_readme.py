"""What the README shows works: its Python, its commands, its two lines."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cvae.cli import parser

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(?:\| .* \| `)?python -m cvae ([^#`\n]*)", README, re.MULTILINE)


def test_python_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(block.replace("epochs=100", "epochs=2"), {})
    assert (tmp_path / "threes.png").read_bytes().startswith(b"\x89PNG")
    assert len(capsys.readouterr().out.splitlines()) == 2  # one validation record an epoch


def test_commands_are_understood() -> None:
    assert len(COMMANDS) > 20
    for command in COMMANDS:
        assert parser().parse_args(shlex.split(command)).command


def test_two_lines_set_everything_up() -> None:
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    ends = (r"streamlit run app\.py$", r"python -m pytest( -[-\w ]+)?$")
    assert [re.search(end, line) is not None for end, line in zip(ends, lines, strict=True)] == [True, True]
    assert all("requirements.txt" in line for line in lines)


def test_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    assert [p for p in pictures if not (Path(__file__).parent.parent / p).is_file()] == []
