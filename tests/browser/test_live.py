"""What a watching browser is sent: everything once, whatever happens to the training meanwhile."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.engine import tiny_run

from cvae.browser import live
from cvae.browser.live import ClientState, history, updates_since
from cvae.config import RunConfig
from cvae.data import ImageData
from cvae.errors import InputError
from cvae.explore.codes import active_units
from cvae.runs.folder import Run
from cvae.training.loop import fit


class Browser:
    """As much of assets/live/store.js as there is to keep: it takes answers in and says what it has."""

    def __init__(self) -> None:
        self.token, self.plane = "", ""
        self.records: list[dict[str, Any]] = []
        self.kept = 0
        self.frames: dict[int, np.ndarray] = {}
        self.live = -1
        self.received = 0  # records and snapshots

    def seen(self) -> ClientState:
        report = {
            "token": self.token, "plane": self.plane, "records": self.kept, "steps": list(self.frames),
            "last": self.records[self.kept - 1]["step"] if self.kept else 0, "live": self.live, "others": {},
        }  # fmt: skip
        return ClientState.from_json(json.loads(json.dumps(report)))

    def ask(self, run: Run) -> dict[str, Any]:
        answer = json.loads(json.dumps(updates_since(run, run.status(), self.seen()), allow_nan=False))
        if answer["token"] != self.token:
            self.__init__()  # type: ignore[misc]
        if answer["plane"]["key"] != self.plane:
            self.frames.clear()
        self.token, self.plane = answer["token"], answer["plane"]["key"]
        fresh = answer["history"]
        assert fresh["from"] <= self.kept <= len(self.records)
        self.records[fresh["from"] :] = fresh["records"]
        self.kept = fresh["kept"]
        self.frames = {step: codes for step, codes in self.frames.items() if step in answer["steps"]}
        self.frames |= {shot["step"]: array(shot["codes"]) for shot in answer["snapshots"]}
        self.live = answer["live"]["step"] if answer["live"] else self.live
        self.received += len(fresh["records"]) + len(answer["snapshots"])
        return answer

    def ask_for_all(self, run: Run) -> None:
        while self.ask(run)["more"]:
            pass


def array(spec: dict[str, Any]) -> np.ndarray:
    kind = {"f16": np.float16, "u8": np.uint8}[spec["dtype"]]
    return np.frombuffer(base64.b64decode(spec["data"]), kind).reshape(spec["shape"])


def train(path: Any, data: ImageData, config: RunConfig | None = None, **options: Any) -> Run:
    for _ in fit(path, config, data=data, **options):
        pass
    return Run(path)


@pytest.fixture
def run(tmp_path: Any, few_digits: ImageData) -> Run:
    return train(tmp_path / "run", few_digits, tiny_run(epochs=20))


def test_everything_arrives_once(run: Run):
    browser = Browser()
    browser.ask_for_all(run)
    assert [(r["split"], r["step"]) for r in browser.records] == [(r["split"], r["step"]) for r in run.history()]
    assert sorted(browser.frames) == run.snapshot_steps()
    assert browser.received == len(run.history()) + len(run.snapshot_steps())
    browser.ask(run)
    assert browser.received == len(run.history()) + len(run.snapshot_steps())
    for step, codes in browser.frames.items():
        np.testing.assert_array_equal(codes, run.snapshot(step)["codes"])


def test_the_newest_moment_comes_first_with_what_belongs_to_all(run: Run):
    first = Browser().ask(run)
    assert first["snapshots"][0]["step"] == run.snapshot_steps()[-1]
    assert len(first["snapshots"]) == live.SNAPSHOTS
    assert array(first["labels"]).shape == (64,)
    assert array(first["heldOut"]).shape == array(first["snapshots"][0]["strip"]).shape == (16, 1, 8, 8)


def test_a_training_that_goes_on_sends_only_what_is_new(run: Run, few_digits: ImageData):
    browser = Browser()
    browser.ask_for_all(run)
    had, records = set(browser.frames), len(browser.records)
    config = run.config()
    train(run.path, few_digits, replace(config, train=replace(config.train, epochs=22)), resume=True)
    browser.received = 0
    browser.ask_for_all(run)
    assert set(browser.frames) - had == {84, 88}
    assert browser.received == 2 + len(run.history()) - records


def test_a_history_that_was_cut_back_is_sent_anew(run: Run):
    browser = Browser()
    browser.ask_for_all(run)
    lines = (run.path / "history.jsonl").read_text().splitlines(keepends=True)
    (run.path / "history.jsonl").write_text("".join(lines[:5]))
    run.append({**json.loads(lines[6]), "step": 1234})
    browser.ask(run)
    assert [r["step"] for r in browser.records] == [r["step"] for r in run.history()]


def test_another_training_of_the_same_name_starts_from_nothing(run: Run, few_digits: ImageData):
    browser = Browser()
    browser.ask_for_all(run)
    run.delete()
    train(run.path, few_digits, tiny_run("ae", epochs=1))
    browser.ask_for_all(run)
    assert all(record["kl"] is None for record in browser.records)
    assert sorted(browser.frames) == run.snapshot_steps()


def test_a_queued_run_has_nothing_to_show(tmp_path: Any):
    answer = Browser().ask(Run.create(tmp_path / "run", tiny_run()))
    assert answer["status"]["state"] == "queued"
    assert (answer["history"]["records"], answer["snapshots"], answer["more"]) == ([], [], False)


def test_the_live_moment_is_sent_once_and_only_while_it_is_newer(run: Run):
    run.write_arrays("live", {**run.snapshot(80, ("codes", "strip")), "step": np.array([81])})
    status = replace(run.status(), state="paused")
    shown = updates_since(run, status, ClientState())["live"]
    assert (shown["step"], array(shown["codes"]).shape) == (81, (64, 2))
    assert (
        updates_since(run, status, ClientState(live=81, token=updates_since(run, status, ClientState())["token"]))[
            "live"
        ]
        is None
    )
    run.write_arrays("live", {**run.snapshot(80, ("codes", "strip")), "step": np.array([80])})
    assert updates_since(run, status, ClientState())["live"] is None


def test_codes_of_many_dimensions_share_one_plane(tmp_path: Any, few_digits: ImageData):
    run = train(tmp_path / "run", few_digits, tiny_run(epochs=12, latent_dim=8))
    browser = Browser()
    browser.ask_for_all(run)
    assert {codes.shape for codes in browser.frames.values()} == {(64, 2)}
    answer = browser.ask(run)
    last = run.snapshot(run.snapshot_steps()[-1])["codes"].astype(np.float64)
    centred = last - last.mean(0)
    share = (np.linalg.svd(centred, compute_uv=False)[:2] ** 2).sum() / (centred**2).sum()
    assert sum(answer["plane"]["explained"]) == pytest.approx(share, abs=2e-4)
    shown = browser.frames[run.snapshot_steps()[-1]].astype(np.float64)
    assert shown.var(0).sum() == pytest.approx(share * centred.var(0).sum(), rel=1e-2)
    # The prior's mean lies where a code of zeros would.
    assert np.linalg.norm(answer["plane"]["origin"]) <= np.linalg.norm(last.mean(0)) + 1e-6


def test_active_units_are_those_of_all_dimensions(tmp_path: Any, few_digits: ImageData):
    run = train(tmp_path / "run", few_digits, tiny_run(epochs=2, latent_dim=8))
    step = run.snapshot_steps()[-1]
    arrays = run.snapshot(step)
    arrays["codes"] = np.random.default_rng(0).standard_normal((64, 8)) * [1, 1, 1, 0.05, 0.05, 0.2, 0.05, 0]
    run.write_arrays(f"snapshots/{step}", arrays)
    (shown,) = [shot for shot in Browser().ask(run)["snapshots"] if shot["step"] == step]
    assert shown["active"] == active_units(arrays["codes"]) == 4


def test_while_training_the_plane_changes_only_as_snapshots_double(tmp_path: Any, few_digits: ImageData):
    run = train(tmp_path / "run", few_digits, tiny_run(epochs=30, latent_dim=3))
    running = replace(run.status(), state="running")
    steps = run.snapshot_steps()
    keys = [live._plane(run, steps[:n], running).key for n in range(1, len(steps) + 1)]
    assert len(set(keys)) == len(steps).bit_length()


def test_codes_beyond_half_precision_can_be_shown(run: Run):
    step = run.snapshot_steps()[-1]
    codes = run.snapshot(step)["codes"]
    codes[0] = [np.inf, -np.inf]
    codes[1] = np.nan
    run.write_arrays(f"snapshots/{step}", {"codes": codes})
    shown = array(Browser().ask(run)["snapshots"][0]["codes"])
    assert np.isfinite(shown).all()


@pytest.mark.parametrize(
    "report",
    [
        None, 7, "x", [], {}, {"token": 1}, {"records": "many"},
        {"token": "", "plane": "", "records": -5, "last": 0, "steps": [], "live": 0, "others": {}},
        {"token": "", "plane": "", "records": 10**9, "last": 3, "steps": [10**30], "live": 0, "others": {}},
        {"token": "", "plane": "", "records": 1e400, "last": 0, "steps": [], "live": 0, "others": {}},
        {"token": "", "plane": "", "records": 0, "last": 0, "steps": "abc", "live": 0, "others": []},
    ],
)  # fmt: skip
def test_a_report_that_makes_no_sense_gets_everything(run: Run, report: Any):
    answer = updates_since(run, run.status(), ClientState.from_json(report))
    assert len(answer["history"]["records"]) == len(run.history())
    assert answer["snapshots"]


def test_large_pictures_are_fewer():
    assert len(live._few(np.zeros((16, 1, 28, 28)))) == 16
    assert len(live._few(np.zeros((16, 3, 64, 64)))) == 4


def test_a_damaged_snapshot_is_said_and_a_vanished_one_is_not(run: Run):
    last = run.snapshot_steps()[-1]
    (run.path / "snapshots" / f"{last}.safetensors").unlink()
    assert [step for step, _ in live._read(run, [last, 0])] == [0]
    (run.path / "snapshots" / f"{last}.safetensors").write_bytes(b"not an array")
    with pytest.raises(InputError, match="damaged"):
        updates_since(run, run.status(), ClientState())


def test_a_laid_over_history_goes_on_from_what_is_known(run: Run):
    records = run.history()
    assert history(run, 3, records[2]["step"])["from"] == 3
    assert history(run, 3, records[2]["step"] + 1)["from"] == 0
    assert history(run, len(records), records[-1]["step"])["records"] == []
