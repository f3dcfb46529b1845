"""The run folder: made whole or not at all, read whole or refused, and never a stranger's."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from helpers.data import complaint
from helpers.engine import tiny_run

from cvae.errors import KeyedError
from cvae.runs.files import read_arrays
from cvae.runs.find import find_run, runs_in
from cvae.runs.folder import Run
from cvae.runs.status import Status

RECORDS = [{"split": "train", "step": n, "epoch": n / 3, "reconstruction": 9.0, "kl": 0.5 * n} for n in range(3)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "run", tiny_run())


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# --- making and removing


def test_a_new_run_has_its_config_and_waits(run: Run):
    assert run.config() == tiny_run()
    assert run.status() == Status("queued")
    assert run.history() == run.snapshot_steps() == []
    assert run.metrics() is run.live() is run.held_out() is None
    assert files(run.path) == {"config.json", "status.json", "snapshots"}
    assert json.loads((run.path / "config.json").read_text())["versions"].keys() >= {"torch", "numpy", "python"}


def test_folders_above_it_are_made(tmp_path: Path):
    assert Run.create(tmp_path / "a" / "b" / "run", tiny_run()).status().state == "queued"


def test_what_exists_is_not_overwritten(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "notes.txt"):
        assert "exists already" in complaint(Run.create, path, tiny_run())
    assert files(tmp_path) == {"notes.txt"}


@pytest.mark.parametrize("place", ["notes.txt/run", "notes.txt/a/b/run", "x" * 300])
def test_a_place_that_cannot_be_written_gets_one_sentence_and_nothing_else(tmp_path: Path, place: str):
    (tmp_path / "notes.txt").write_text("mine")
    complaint(Run.create, tmp_path / place, tiny_run())
    assert files(tmp_path) == {"notes.txt"}


def test_a_read_only_place_gets_one_sentence():
    """Below /proc not even root can write."""
    assert "cannot write" in complaint(Run.create, "/proc/run", tiny_run())


def test_deleting_removes_the_folder(run: Run):
    run.delete()
    assert files(run.path.parent) == set()


def test_only_runs_are_deleted(tmp_path: Path):
    for name, content in (("photos", None), ("other", "{}"), ("damaged", '{"format": 1')):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "precious.txt").write_text("mine")
        if content is not None:
            (folder / "config.json").write_text(content)
        complaint(Run(folder).delete)
        assert (folder / "precious.txt").exists()
    complaint(Run(tmp_path / "nowhere").delete)


def test_a_run_in_training_is_not_deleted(run: Run):
    with run.lock():
        assert "stop it first" in complaint(run.delete)
    assert run.path.exists()


def test_runs_are_listed_newest_first_without_what_is_none(tmp_path: Path):
    for age, name in enumerate(["new", "middle", "old"]):
        run = Run.create(tmp_path / name, tiny_run())
        os.utime(run.path / "config.json", (1e9 - age, 1e9 - age))
    (tmp_path / "photos").mkdir()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / ".half-made.123.tmp").mkdir()
    (tmp_path / ".half-made.123.tmp" / "config.json").write_text("{}")
    assert [run.name for run in runs_in(tmp_path)] == ["new", "middle", "old"]
    assert runs_in(tmp_path / "nowhere") == []


def test_a_run_is_found_by_path_or_by_name(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CVAE_RUNS", str(run.path.parent))
    assert find_run("run").path == find_run(str(run.path)).path == run.path
    assert "is not a run" in complaint(find_run, "walk")


# --- reading what is damaged or foreign


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"format": 1}', "\0\0\0", b"\xff\xfe", '{"format": 9}', "[" * 99_999]
)
def test_a_damaged_config_is_refused(run: Run, content: str | bytes):
    (run.path / "config.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert "config.json" in complaint(Run.open, run.path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path):
    (tmp_path / "photo.png").touch()
    for path in (tmp_path, tmp_path / "photo.png", tmp_path / "nowhere", ""):
        assert "is not a run" in complaint(Run.open, path)


DAMAGED = (
    "",
    "{",
    "[]",
    "7",
    '{"mood": "good"}',
    '{"state": "dancing"}',
    '{"state": null}',
    '{"state": ["running"]}',
    '{"state": "finished", "step": "many"}',
    '{"state": "finished", "epoch": null}',
    '{"state": "failed", "message": 5}',
    '{"state": "failed", "error": "no key"}',
    '{"state": "failed", "error": {"key": 5, "values": {}}}',
    '{"state": "failed", "error": {"key": "run.disk"}}',
    '{"state": "failed", "error": {"key": "run.disk", "values": {"reason": [1]}}}',
    '{"state": "failed", "error": {"key": "run.disk", "values": {"reason": NaN}}}',
    '{"state": "failed", "error": ' + '{"key": "a", "values": {"b": ' * 50 + "1" + "}}" * 50 + "}",
    '{"state": "finished", "epoch": NaN}',
    '{"state": "finished", "epochs": 1e999}',
)


def test_a_damaged_status_is_refused(run: Run):
    for content in DAMAGED:
        (run.path / "status.json").write_text(content)
        assert "status" in complaint(run.status), content


def test_a_run_without_a_status_was_interrupted(run: Run):
    (run.path / "status.json").unlink()
    assert run.status().state == "interrupted"


def test_a_status_outlives_a_round_trip(run: Run):
    error = KeyedError("run.disk", reason=KeyedError("system.no_space"))
    status = Status("failed", str(error), 17, 1.5e9, 3, 90, 0.1, 2, 12345.0, None, error.to_json())
    run.write_status(status)
    assert run.status() == status
    assert [run.status().failure.sentence(language) for language in ("en", "zh")] == [
        "cannot write the run: no space left on device", "无法写入运行：磁盘已满"
    ]  # fmt: skip


def test_why_a_run_of_an_older_version_failed_is_its_message(run: Run):
    (run.path / "status.json").write_text('{"state": "failed", "message": "step 3: the loss became nan."}')
    assert run.status().failure == "step 3: the loss became nan."


def test_half_a_line_of_history_is_left_out(run: Run):
    for record in RECORDS:
        run.append(record)
    with open(run.path / "history.jsonl", "a") as file:
        file.write('{"split": "train", "st')
    assert run.history() == RECORDS


def test_a_damaged_history_is_refused(run: Run):
    for content in (b'{"step": 1\n{"step": 2}\n', b"\0\0\n", b"\xff\n", b"null\n", b"[]\n", b"[" * 99_999 + b"\n"):
        (run.path / "history.jsonl").write_bytes(content)
        assert "history.jsonl" in complaint(run.history)


@pytest.mark.parametrize(
    "wrong",
    [
        {"split": "test"},
        {"step": "3"},
        {"epoch": None},
        {"reconstruction": float("nan")},
        {"kl": [1.0]},
        {"kl_per_dim": 1.0},
        {"kl_per_dim": [[1.0]]},
    ],
)
def test_a_line_that_is_no_record_is_refused(run: Run, wrong: dict[str, object]):
    run.append(RECORDS[0])
    run.append({**RECORDS[1], **wrong})
    assert "history.jsonl" in complaint(run.history)


def test_arrays_come_back_as_they_were(run: Run):
    arrays = {
        "codes": np.linspace(-1, 1, 6, dtype=np.float16).reshape(3, 2),
        "strip": np.arange(256, dtype=np.uint8).reshape(4, 1, 8, 8),
        "none": np.zeros((0, 2), np.float32),
        "one": np.array(3, np.float32),
    }
    run.write_arrays("snapshots/12", arrays, {"step": "12"})
    found = run.snapshot(12)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_truncated_or_foreign_weights_are_refused(run: Run):
    path = run.path / "model.safetensors"
    run.write_arrays("model", {"w": np.ones((4, 4), np.float32)})
    whole = path.read_bytes()
    contents = [whole[:n] for n in (0, 4, 8, 20, len(whole) - 1)]
    contents += [whole + b"more", b"PK\x03\x04 a zip", b"\x80\x04 a pickle", b"\xff" * 200, b"\0" * 64]
    for content in contents:
        path.write_bytes(content)
        assert "model.safetensors" in complaint(run.weights)
    path.unlink()
    path.mkdir()
    complaint(run.weights)


def test_what_is_not_there_yet_is_said_to_be(run: Run):
    assert "no trained weights" in complaint(run.weights)
    assert "no codes" in complaint(run.codes)
    complaint(run.snapshot, 3)
    complaint(read_arrays, run.path / "snapshots")


def test_codes_are_those_of_the_newest_snapshot_until_the_end(run: Run):
    for step in (0, 100, 20):
        run.write_arrays(f"snapshots/{step}", {"codes": np.full((3, 2), step, np.float16), "decoder.w": np.ones(1)})
    (run.path / "snapshots" / "notes.safetensors").touch()
    assert run.snapshot_steps() == [0, 20, 100]
    assert run.codes().keys() == {"codes"}
    assert run.codes()["codes"][0, 0] == 100
    run.write_arrays("codes", {"codes": np.full((5, 2), 7, np.float16)})
    assert run.codes()["codes"].shape == (5, 2)


def test_metrics_that_are_no_object_are_refused(run: Run):
    run.write_metrics({"nll": 1.5})
    assert run.metrics() == {"nll": 1.5}
    for content in ("[1]", "{"):
        (run.path / "metrics.json").write_text(content)
        complaint(run.metrics)


# --- writing


def test_a_reader_never_sees_half_a_file(run: Run):
    """One thread replaces status and weights as fast as it can while another reads them."""
    done = threading.Event()
    big = {"w": np.zeros(20_000, np.float32)}

    def write() -> None:
        for step in range(150):
            run.write_status(Status("stopped", "x" * (step * 50), step=step))
            run.write_arrays("model", {"w": big["w"] + step})
            run.append({"split": "train", "step": step, "epoch": 0, "reconstruction": 1, "kl_per_dim": [0.1] * 100})
        done.set()

    writer = threading.Thread(target=write)
    run.write_status(Status("stopped"))
    run.write_arrays("model", big)
    writer.start()
    read = 0
    while not done.is_set():
        status, weights, history = run.status(), run.weights()["w"], run.history()
        assert len(status.message or "") == status.step * 50
        assert weights.min() == weights.max()
        assert [record["step"] for record in history] == list(range(len(history)))
        read += 1
    writer.join()
    assert read > 3
    assert not list(run.path.glob(".*"))


def test_a_write_that_fails_leaves_the_old_file_and_no_other(run: Run, monkeypatch: pytest.MonkeyPatch):
    run.write_status(Status("stopped", step=5))
    before = files(run.path)

    def full(path: Path, content: bytes) -> int:
        with open(path, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        run.write_status(Status("stopped", step=6))
    assert run.status().step == 5
    assert files(run.path) == before


def test_cutting_back_forgets_what_came_after(run: Run):
    lengths = [run.append(record) for record in RECORDS]
    for step in (0, 8, 16):
        run.write_arrays(f"snapshots/{step}", {"codes": np.zeros(1)})
    (run.path / ".model.safetensors.7.tmp").touch()
    (run.path / "snapshots" / ".16.safetensors.7.tmp").touch()
    run.cut_back(lengths[1], 8)
    assert run.history() == RECORDS[:2]
    assert run.snapshot_steps() == [0, 8]
    assert not [name for name in files(run.path) if name.endswith(".tmp")]
    run.cut_back(10**6, 8)  # of a history that lost lines since: there is nothing to cut
    assert run.history() == RECORDS[:2]


def test_the_config_can_be_replaced(run: Run):
    longer = dataclasses.replace(run.config(), train=dataclasses.replace(run.config().train, epochs=9))
    run.write_config(longer)
    assert run.config() == longer
