"""python tests/hostile_pages.py [--links N] [--folders N] [--seed S]: pages under links and run folders that mean harm.

Every page must answer with words in reasonable time: no exception, no key in place of its words, nothing that a browser
cannot read. A link or a folder of which that is not so is printed with its number, which makes it again. The suite runs
a short form of it (tests/ui/test_hostile_pages.py).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import streamlit as st
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from helpers import damage
from helpers.engine import tiny_run
from helpers.pages import opened, raw_keys

from cvae.assets import SHIPPED
from cvae.config import DataConfig, RunConfig
from cvae.data import load_data
from cvae.runs.folder import Run
from cvae.runs.queue import Jobs
from cvae.ui.frame.pages import PAGES

SECONDS = 30.0  # that a page may take
IDS = tuple(page.id for page in PAGES)
OWN = ("own", "quadrant", "paused")

Problem = tuple[str, str]  # what was opened, and what was wrong with it


@contextmanager
def house(folder: Path) -> Iterator[Path]:
    """A runs folder with small trained runs beside two shipped ones; nothing is trained. Yields the runs folder."""
    runs, gallery = folder / "runs", folder / "gallery"
    for name in ("digits-ae", "digits-cvae"):
        shutil.copytree(SHIPPED / name, gallery / name)
    for name, run in originals(folder / "originals").items():
        shutil.copytree(run.path, runs / name)
    places = {"CVAE_RUNS": str(runs), "CVAE_DATA": str(folder / "data")}
    with (
        mock.patch.dict(os.environ, places),
        mock.patch("cvae.ui.parts.runs.GALLERY", gallery),
        mock.patch.object(Jobs, "_start_worker"),
    ):
        st.cache_data.clear()
        st.cache_resource.clear()
        yield runs


def originals(folder: Path) -> dict[str, Run]:
    """Small runs of kinds that pages treat differently: finished, given an image, and stopped in mid-epoch."""
    from cvae.training.loop import fit

    data = load_data(DataConfig("digits"))
    configs: dict[str, RunConfig] = {
        "own": tiny_run("cvae-learned-prior", epochs=2, latent_dim=3),
        "quadrant": tiny_run("cvae-predictive", epochs=1, task="quadrants"),
        "paused": tiny_run("ae", epochs=3),
    }
    for name, config in configs.items():
        records = fit(folder / name, config, data=data)
        for record in records:
            if name == "paused" and record["epoch"] > 0.5:
                records.close()
    return {name: Run(folder / name) for name in configs}


def problem_of(page: str, link: dict[str, str]) -> str | None:
    """Open a page under a link; return what is wrong with the answer, if anything is."""
    began = time.monotonic()
    try:
        text = opened(page, seconds=2 * SECONDS, **link)
    except BaseException as error:  # also a panic of a library in Rust; a hang is a RuntimeError
        if isinstance(error, KeyboardInterrupt):
            raise
        return "".join(traceback.format_exception_only(error))[-900:]
    if found := raw_keys(text):
        return f"it shows {found}"
    if (seconds := time.monotonic() - began) > SECONDS:
        return f"it took {seconds:.0f} s"
    return None


# --- links ----------------------------------------------------------------------------------------------------------

NAMES = (
    "run", "runs", "lang", "z", "label", "c.label", "c.quadrant", "seed", "tsne", "view", "x", "y", "images", "example",
    "temperature", "rows", "from", "to", "given", "over", "unknown", "",
)  # fmt: skip
VALUES: tuple[Callable[[random.Random], str], ...] = (
    lambda r: r.choice(
        ["", "-", ",", ",,,", "+", "++", ":", "3:", ":3", "null", "None", "true", "undefined", "[]", "{}"]
    ),
    lambda r: r.choice(
        ["nan", "inf", "-inf", "1e308", "-1e308", "1e-320", "1e999", "0x1F", "1_000", "١٢", "½", "²", "−1"]
    ),
    lambda r: str(r.choice([-1, 0, 1, 9, 10, 63, 2**31, 2**63, 2**64, -(2**63), 10**9, 10**30])),
    lambda r: r.choice("019") * r.choice([5, 10, 4300, 4301, 20_000]),
    lambda r: ",".join(r.choice(["1", "nan", "1e308", "-3", "", "x"]) for _ in range(r.choice([1, 2, 3, 16, 1000]))),
    lambda r: ",".join(
        f"{r.randint(0, 12)}:{r.choice(['1', '1e308', '-1', 'nan', '0', '1e-9', ''])}" for _ in range(3)
    ),
    lambda r: "+".join(r.choice(["0", "3", "11", "", "x"]) for _ in range(r.choice([2, 3, 500]))),
    lambda r: r.choice(
        ["../../etc/passwd", "/etc/passwd", "..", ".", "~", "con", "a/b", "a\\b", "\0", "a\0b", "%00", "\n"]
    ),
    lambda r: r.choice(
        ["<script>alert(1)</script>", "**bold**", "[a](javascript:b)", "$x^2$", ":red[x]", "`x`", "{0}", "%s"]
    ),
    lambda r: r.choice(["\u202e", "\ud800", "\ufeff", "👩‍👩‍👧", "ａ", "ﬁ", "İ", "你好", "\u0301" * 200]),
    lambda r: ",".join(f"a{i}" for i in range(r.choice([2, 50, 3000]))),
    lambda r: r.choice(
        ["own", "quadrant", "paused", "digits-ae", "digits-cvae", "own,paused", "digits-cvae,own,quadrant"]
    ),
    lambda r: r.choice(["codes", "pca", "tsne", "one", "all", "en", "zh", "fr", "prior", "0", "1", "2", "3"]),
)


def a_link(number: int, seed: int) -> tuple[str, dict[str, str]]:
    """Make the page and the link of a number: mostly nonsense, with a run that is there more often than not."""
    r = random.Random(f"{seed} {number}")
    link = {r.choice(NAMES): r.choice(VALUES)(r) for _ in range(r.choice([1, 2, 3, 5, 8]))}
    if r.random() < 0.6:
        link |= {"run": r.choice(OWN), "runs": ",".join(r.sample(OWN, 2))}
    # What no address can hold never arrives.
    return r.choice(IDS), {k: v.encode("utf-8", "replace").decode() for k, v in link.items() if k}


def links(count: int, seed: int) -> Iterator[Problem]:
    """Open `count` links; yield those with a problem."""
    for number in range(count):
        page, link = a_link(number, seed)
        if problem := problem_of(page, link):
            yield f"link {number}: {page} {str(link)[:300]}", problem


# --- run folders ----------------------------------------------------------------------------------------------------


def replace(path: Path, r: random.Random) -> None:
    """Put other contents into a file, among them JSON that does not fit and headers of arrays that are not there."""
    texts = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"7",
        b'"x"',
        b"[" * 50_000,
        b'{"a":' * 5000,
        b"\xff\xfe",
        b"\0" * 4096,
        b"NaN",
    ]
    headers = [b"\xff" * 8 + b"{}", (1 << 40).to_bytes(8, "little") + b"{}", b"\x02\0\0\0\0\0\0\0{}"]
    path.write_bytes(r.choice([*texts, *headers]))


def change_values(path: Path, r: random.Random) -> None:
    """Change a value within a JSON file, or an array within a safetensors file, to one that does not fit."""
    if path.suffix == ".safetensors":
        arrays = load_file(path)
        if arrays:
            name = r.choice(sorted(arrays))
            odd = _odd_array(arrays.pop(name), r)
            if odd is not None:
                arrays[name] = np.ascontiguousarray(odd)
        save_file(arrays, path)
        return
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        lines = text.splitlines()
        i = r.randrange(len(lines))
        lines[i] = json.dumps(_odd_json(json.loads(lines[i]), r))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(_odd_json(json.loads(text), r)), encoding="utf-8")


def _odd_array(array: np.ndarray, r: random.Random) -> Any:
    return r.choice(
        [
            lambda: array[:0], lambda: array.ravel(), lambda: array[..., None], lambda: array.astype(np.float64),
            lambda: np.full_like(array, np.nan if array.dtype.kind == "f" else 255), lambda: array[:1].copy(),
            lambda: np.full(array.shape, np.inf, np.float32), lambda: np.zeros((), np.float32), lambda: None,
            lambda: np.repeat(array, 2, axis=-1) if array.ndim else array, lambda: (array * 0).astype(np.int64),
        ]
    )()  # fmt: skip


def _odd_json(values: Any, r: random.Random) -> Any:
    """Put an odd value somewhere, or take something away."""
    place = values
    while isinstance(place, (dict, list)) and place:
        key = r.choice(sorted(place)) if isinstance(place, dict) else r.randrange(len(place))
        inner = place[key]
        if isinstance(inner, (dict, list)) and inner and r.random() < 0.7:
            place = inner
            continue
        odd = [
            None,
            True,
            -1,
            0,
            1e308,
            10**400,
            0.5,
            "",
            "x",
            "../x",
            "<b>x</b>",
            [],
            {},
            [[]],
            "a" * 10_000,
            float("nan"),
        ]
        if r.random() < 0.2:
            del place[key]
        else:
            place[key] = r.choice(odd)
        break
    return values


DAMAGE = (damage.truncate, damage.flip, replace, damage.remove, change_values, change_values)
EXTRA = ("lock", "watched", "control.json", "metrics.json", "augmentation.json", "snapshots/7.safetensors", "card.json")


def a_folder(runs: Path, number: int, seed: int) -> tuple[str, str, str]:
    """Damage a copy of a run as the number says; return the page to open, the run's name, and what was done to it."""
    r = random.Random(f"{seed} folder {number}")
    original, name = r.choice(OWN), f"run-{number}"
    path = runs / name
    shutil.copytree(runs.parent / "originals" / original, path)
    done = [original]
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        files = sorted(file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
        if r.random() < 0.15:
            extra = path / r.choice(EXTRA)
            if not extra.exists() and not extra.is_symlink():
                shutil.copy(r.choice(files), extra)
                files = [extra]
        file, change = r.choice(files), r.choice(DAMAGE)
        try:
            change(file, r)
        except (OSError, ValueError, RecursionError, SafetensorError):  # damaged already
            continue
        done.append(f"{change.__name__} {file.relative_to(path)}")
    return r.choice(IDS), name, ", ".join(done)


def folders(runs: Path, count: int, seed: int) -> Iterator[Problem]:
    """Open a page on each of `count` damaged run folders; yield those with a problem."""
    for number in range(count):
        page, name, done = a_folder(runs, number, seed)
        try:
            link = {"run": name, "runs": f"{name},digits-cvae", "lang": random.Random(number).choice(["en", "zh"])}
            if problem := problem_of(page, link):
                yield f"folder {number}: {page} of {done}", problem
        finally:
            shutil.rmtree(runs / name, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=1600)
    parser.add_argument("--folders", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    problems, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, house(Path(scratch)) as runs:
        for found in (links(args.links, args.seed), folders(runs, args.folders, args.seed)):
            for what, problem in found:
                problems += 1
                print(what, "\n   ", problem.strip(), flush=True)
    seconds = time.monotonic() - began
    print(f"{args.links} links and {args.folders} run folders in {seconds:.0f} s: {problems} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
