"""This module downloads data sets from torchvision's mirrors and checks them with its checksums."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cvae.data.idx import FILES, find_idx, read_idx
from cvae.data.images import MAX_BYTES, reason
from cvae.data.registry import DATASETS, Dataset, unknown_data
from cvae.errors import InputError

Progress = Callable[[int, "int | None", str], None]  # bytes so far, bytes in all if known, name of the file

CHUNK = 2**18  # bytes between two reports of progress
TIMEOUT = 30  # seconds without a byte


class _MirrorError(Exception):
    """This mirror did not deliver, but another one may; `why` becomes part of a sentence."""

    def __init__(self, why: InputError | str) -> None:
        super().__init__(why)
        self.why = why


def download(name: str, directory: str | Path | None = None, progress: Progress | None = None) -> None:
    """Download a registered data set into `directory` (None: `./data`), in torchvision's layout.

    Keep whole files, so that an interrupted download continues with the next file, and replace damaged ones. A file
    gets its name only when it is complete and has torchvision's MD5. Do nothing for a data set without a download.

    Raise `InputError` for an unknown name, if no mirror delivers, and if the directory cannot be written.
    """
    if name not in DATASETS:
        raise unknown_data(name)
    dataset = DATASETS[name]
    if not dataset.downloadable:
        return
    import torchvision.datasets  # seconds to import

    known = getattr(torchvision.datasets, dataset.torchvision)
    raw = dataset.folder(directory)
    made = [folder for folder in (raw, *raw.parents) if not os.path.exists(folder)]
    try:
        raw.mkdir(parents=True, exist_ok=True)
        for filename, md5 in known.resources:
            if not _whole(raw, Path(filename).stem):
                _fetch(dataset, raw, filename, md5, known.mirrors, progress)
    except OSError as error:
        raise InputError("fetch.cannot_write", title=dataset.title, folder=raw, reason=reason(error)) from error
    finally:
        for folder in made:
            with contextlib.suppress(OSError):  # a folder with files stays
                folder.rmdir()


def _whole(raw: Path, name: str) -> bool:
    path = find_idx(raw, name)
    try:
        return path is not None and read_idx(path, FILES[name]).size > 0
    except InputError:
        return False


def _fetch(
    dataset: Dataset, raw: Path, filename: str, md5: str, mirrors: Sequence[str], progress: Progress | None
) -> None:
    """Put one file, decompressed, into `raw`, from the first mirror that delivers it, else raise `InputError`."""
    failures = []
    with tempfile.TemporaryDirectory(prefix=".download-", dir=raw) as aside:
        packed, plain = Path(aside, filename), Path(aside, Path(filename).stem)
        for mirror in mirrors:
            try:
                _stream(mirror + filename, packed, md5, progress)
                break
            except _MirrorError as failure:
                place = urllib.parse.urlsplit(mirror).netloc
                failures.append(InputError("fetch.place", place=place, reason=failure.why))
        else:
            places = functools.reduce(lambda one, other: InputError("fetch.or", one=one, other=other), failures)
            raise InputError("fetch.failed", title=dataset.title, file=filename, places=places, folder=raw.absolute())
        with gzip.open(packed) as source, open(plain, "wb") as target:
            shutil.copyfileobj(source, target)
        os.replace(plain, raw / plain.name)


def _stream(url: str, path: Path, md5: str, progress: Progress | None) -> None:
    done, total, digest = 0, None, hashlib.md5(usedforsecurity=False)
    with open(path, "wb") as file:
        for chunk, total in _chunks(url):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if done > MAX_BYTES:
                raise _MirrorError(InputError("fetch.endless"))
            if progress:
                progress(done, total, path.name)
    if total is not None and done < total:
        raise _MirrorError(InputError("fetch.broke_off"))
    if digest.hexdigest() != md5:
        raise _MirrorError(InputError("fetch.wrong_file"))


def _chunks(url: str) -> Iterator[tuple[bytes, int | None]]:
    """Yield the pieces of a response's body, each with the announced bytes of the whole body."""
    request = urllib.request.Request(url, headers={"User-Agent": "cvae"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            total = response.length
            while chunk := response.read(CHUNK):
                yield chunk, total
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        raise _MirrorError(reason(cause) if isinstance(cause, Exception) else str(cause)) from error
