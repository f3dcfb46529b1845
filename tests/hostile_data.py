"""python tests/hostile_data.py [--count N] [--seed S]: data files and folders that mean harm.

Each is read as the app and the command line read it, and must give data or one sentence in each language, in reasonable
time and memory: no other exception, no key in place of words. A number makes the same file again. The suite reads some
of them (tests/data/test_hostile_data.py).
"""

from __future__ import annotations

import argparse
import gzip
import io
import pickle
import random
import struct
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from helpers import damage

from cvae.config import DataConfig
from cvae.data import load_data
from cvae.data.idx import FILES
from cvae.errors import InputError, sentences

SECONDS = 10.0  # that a file may take
MEGABYTES = 1024  # that Python may allocate for it
LANGUAGES = ("en", "zh")


# --- files that are fine ----------------------------------------------------------------------------------------------


def mostly(r: random.Random, usual: Any, *odd: Any) -> Any:
    """Choose what is usual, or now and then something odd."""
    return usual if r.random() < 0.85 else r.choice(odd)


def arrays(r: random.Random) -> dict[str, Any]:
    """Make arrays of an .npz file, with something odd now and then."""
    rng = np.random.default_rng(r.randrange(2**32))
    count = mostly(r, 40, 0, 1, 29)
    shape = mostly(r, r.choice([(8, 8), (9, 12, 1), (8, 8, 3)]), (3, 8, 8), (7, 8), (65, 64), (64,), (), (8, 8, 4))
    kind = mostly(r, r.choice(["u1", "f4", "f8", "i8"]), "u2", "f2", "?", "c8")
    images = rng.integers(0, 256, (count, *shape)).astype(kind)
    if images.dtype.kind == "f" and r.random() < 0.5:
        images = images / 255
    if images.size and images.dtype.kind == "f":
        images.flat[r.randrange(images.size)] = mostly(r, 1, np.nan, np.inf, -1, 1e4)
    found: dict[str, Any] = {"images": images}
    if r.random() < 0.7:
        labels = rng.integers(mostly(r, 0, -1), mostly(r, 10, 1, 2, 300), mostly(r, count, count + 1))
        found["labels"] = mostly(
            r, labels, labels.astype(str), labels.astype(float), labels[:, None], labels.astype("S3")
        )
        if r.random() < 0.3:
            odd = ["", "b" * 100, "\0", "<b>x</b>", "\u202e", "9"]
            names = [mostly(r, f"name {i}", *odd) for i in range(mostly(r, 10, 0, 2))]
            found["class_names"] = np.array(names)
    return found


def an_npz(path: Path, r: random.Random) -> None:
    """Write an .npz file as numpy does, or with members that numpy would not write."""
    found = arrays(r)
    kind = r.randrange(12)
    if kind == 0:  # what a pickle would run
        found["labels"] = np.array([print, {"a": 1}] * 15, dtype=object)
    if kind == 1:
        found["images"] = np.asfortranarray(found["images"])
    with open(path, "wb") as file:
        (np.savez_compressed if r.random() < 0.5 else np.savez)(file, **found)
    if kind == 2:  # a header that claims what is not there
        header = io.BytesIO()
        claim = {"descr": "|u1", "fortran_order": False, "shape": (10 ** r.randrange(2, 30), 8, 8)}
        np.lib.format.write_array_header_1_0(header, claim)
        _member(path, "images.npy", header.getvalue() + b"\0" * r.randrange(100))
    if kind == 3:  # a bomb
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|u1", "fortran_order": False, "shape": (2**20, 32, r.choice([32, 16]))}
        )
        _member(path, "images.npy", header.getvalue() + b"\0" * r.choice([2**20, 2**24]))
    if kind == 4:
        _member(path, "images.npy", pickle.dumps({"images": 1}))
    if kind == 5:
        odd = r.choice(
            ["(", "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", "{}", "x" * 500, "[" * 400, "1" * 5000]
        )
        text = odd.encode() + b"\n"
        _member(path, "images.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)


def _member(path: Path, name: str, content: bytes) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of a second member of the same name
        archive.writestr(name, content)


def an_idx(folder: Path, r: random.Random) -> None:
    """Write the four files of MNIST, small, with headers that may not fit."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    count, side = mostly(r, 12, 0, 5), mostly(r, 8, 70)
    for name, rank in FILES.items():
        shape = [count, side, side][:rank]
        if r.random() < 0.05:
            shape[r.randrange(rank)] = r.choice([0, 1, 2**31, 2**32 - 1, count + 1])
        body = bytes(r.randrange(256 if rank == 3 else 10) for _ in range(count * (side * side if rank == 3 else 1)))
        content = struct.pack(f">BBBB{rank}I", 0, 0, mostly(r, 8, 8, 9), rank, *shape) + body
        if r.random() < 0.03:
            continue
        if r.random() < 0.5:
            (raw / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (raw / name).write_bytes(content)


def a_folder(folder: Path, r: random.Random) -> None:
    """Write a folder of pictures, some of which are none."""
    mixed = r.random() < 0.15
    for number in range(mostly(r, 60, 0, 1)):
        place = folder if mixed and r.random() < 0.3 else folder / r.choice(["a", "b", "数", ".hidden", "c d"])
        place.mkdir(parents=True, exist_ok=True)
        mode, side = mostly(r, "L", "RGB", "RGBA", "1", "P", "I;16"), mostly(r, 8, 9, 1, 300)
        picture = io.BytesIO()
        Image.new(mode, (side, r.choice([side, side, 8]))).save(picture, "PNG")
        content = picture.getvalue()
        if r.random() < 0.05:
            content = r.choice(
                [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>", content[:40], b"\xff\xd8\xff" + bytes(50)]
            )
        (place / f"{number}{r.choice(['.png', '.png', '.jpg', '.gif', '.PNG', '.txt'])}").write_bytes(content)


# --- damage -----------------------------------------------------------------------------------------------------------


def replace(path: Path, r: random.Random) -> None:
    """Put other contents into a file, among them beginnings of its format and a pickle."""
    path.write_bytes(r.choice([b"", b"PK\x03\x04", b"\x93NUMPY", r.randbytes(2000), b"{}", pickle.dumps(print)]))


DAMAGE = (damage.truncate, damage.flip, damage.flip, damage.flip, damage.append, replace, damage.remove)


def an_input(folder: Path, number: int, seed: int) -> DataConfig:
    """Make the data of a number below `folder`; return how they are asked for."""
    r = random.Random(f"{seed} data {number}")
    folder.mkdir(parents=True)
    kind = r.choice(["npz", "npz", "npz", "idx", "folder"])
    name = r.choice(["data", "数 据", "a'b\"c", "-x", "x" * 100, "a.b"])
    if kind == "npz":
        path = folder / f"{name}.npz"
        an_npz(path, r)
        if r.random() < 0.5:
            r.choice(DAMAGE)(path, r)
        return DataConfig(str(path))
    if kind == "idx":
        an_idx(folder, r)
    else:
        a_folder(folder / name, r)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if files and r.random() < 0.4:
        r.choice(DAMAGE)(r.choice(files), r)
    return DataConfig("mnist", str(folder)) if kind == "idx" else DataConfig(str(folder / name))


# --- reading ----------------------------------------------------------------------------------------------------------


def read(config: DataConfig) -> tuple[str, str | None]:
    """Read data; return "data", "sentence" or "problem", and what the problem is."""
    began = time.monotonic()
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load_data(config)
        outcome = "data"
    except InputError as error:
        for language in LANGUAGES:
            if error.key not in sentences(language) or error.sentence(language) == error.key:
                return "problem", f"no sentence in {language}: {error.key}"
            if "\n" in error.sentence(language):
                return "problem", f"more than a line: {error.sentence(language)}"
        outcome = "sentence"
    except Exception as error:
        return "problem", "".join(traceback.format_exception(error))[-800:]
    finally:
        megabytes = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    if (seconds := time.monotonic() - began) > SECONDS:
        return "problem", f"it took {seconds:.0f} s"
    return (outcome, None) if megabytes < MEGABYTES else ("problem", f"it took {megabytes:.0f} MB")


def hostile(
    folder: Path, count: int, seed: int, made: Callable[[Path, int, int], DataConfig] = an_input
) -> tuple[Counter[str], list[str]]:
    """Read `count` data sets made below `folder`; return how they ended, and the problems."""
    counts: Counter[str] = Counter()
    problems = []
    for number in range(count):
        outcome, problem = read(made(folder / str(number), number, seed))
        counts[outcome] += 1
        if problem:
            problems.append(f"number {number}: {problem}")
    return counts, problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        counts, problems = hostile(Path(scratch), args.count, args.seed)
    print("\n".join(problems))
    print(f"{args.count} data sets in {time.monotonic() - began:.0f} s: {dict(counts)}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
