"""This registry holds the data sets with a name, for the command line, the menus, the cards and the tests.

An entry names its reader, a function `(dataset, directory) -> ImageData`. A data set of another format needs its own.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from cvae.conditions import Condition
from cvae.data.idx import FILES, find_idx, load_raw
from cvae.data.images import ImageData, shuffled_splits
from cvae.errors import InputError

DIGIT_NAMES = tuple("0123456789")


def default_folder() -> Path:
    """Return the default data folder: the environment's CVAE_DATA, or `data` in the working directory."""
    return Path(os.environ.get("CVAE_DATA") or "data")


Directory = str | Path | None  # the chosen data directory; None: the default one
# how the makers of a data set brought handwriting to its size; assets/explorer/pad/fit.js states and applies the rules
Fit = Literal["mnist", "digits", "plain"]

Reader = Callable[["Dataset", Directory], ImageData]


@dataclass(frozen=True)
class Dataset:
    """A Dataset describes a data set without reading it."""

    id: str
    title: str
    image_shape: tuple[int, int, int]  # channels, height, width
    class_names: tuple[str, ...]
    sizes: tuple[int, int, int]  # images for training, validation, test
    licence: str
    source: str
    read: Reader
    files: tuple[str, ...] = ()  # files that reading needs in its `folder`, plain or as .gz
    torchvision: str = ""  # its class in torchvision.datasets, which knows its mirrors; empty: no download
    epochs: int = 20  # the proposal of the Train page
    further: tuple[Condition, ...] = ()  # the conditions that the data offers besides the label
    fit: Fit = "plain"  # the rule that brings a picture of any size to `image_shape`

    @property
    def downloadable(self) -> bool:
        """Return whether `download` can fetch the files."""
        return bool(self.torchvision)

    def folder(self, directory: Directory) -> Path:
        """Return the folder of the files below a data directory: torchvision's own, or one named by the id."""
        default = Path(os.path.expanduser(default_folder() if directory is None else directory))
        return default / self.torchvision / "raw" if self.torchvision else default / self.id

    def missing(self, directory: Directory) -> list[str]:
        """Return the names of missing files; the list is empty if the data set can be read."""
        return [name for name in self.files if find_idx(self.folder(directory), name) is None]

    def load(self, directory: Directory) -> ImageData:
        """Read the data set; missing or damaged files raise `InputError`."""
        return self.read(self, directory)


def read_scikit_learn(dataset: Dataset, directory: Directory) -> ImageData:
    """Read the digits in scikit-learn; they need no directory. Raise `InputError` without scikit-learn."""
    package = importlib.util.find_spec("sklearn")  # reading the file directly saves the import, which takes a second
    if package is None or package.origin is None:
        raise InputError("data.no_scikit_learn", title=dataset.title)
    table = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    ink, labels = table[:, :-1].reshape(-1, 1, 8, 8), table[:, -1]
    images = np.rint(ink * (255 / 16)).astype(np.uint8)  # counts of ink 0..16 → 0..255
    return shuffled_splits(dataset.id, images, labels.astype(np.int64), dataset.class_names)


def read_raw(dataset: Dataset, directory: Directory) -> ImageData:
    """Read the four files of torchvision's `raw` folder; missing or damaged ones raise `InputError`."""
    folder = dataset.folder(directory)
    if missing := dataset.missing(directory):
        where, raw = folder.absolute(), dataset.torchvision
        if len(missing) == len(dataset.files):
            raise InputError("data.absent", title=dataset.title, folder=where, id=dataset.id, raw=raw)
        files = ", ".join(missing)
        raise InputError("data.incomplete", title=dataset.title, folder=where, files=files, id=dataset.id, raw=raw)
    return load_raw(folder, dataset.id, dataset.class_names)


DATASETS: dict[str, Dataset] = {
    dataset.id: dataset
    for dataset in (
        Dataset(
            id="digits",
            title="Digits 8×8",
            image_shape=(1, 8, 8),
            class_names=DIGIT_NAMES,
            sizes=(1439, 179, 179),
            licence="CC BY 4.0",
            source="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI 1998; in scikit-learn",
            read=read_scikit_learn,
            epochs=100,  # 100 epochs take seconds
            fit="digits",
        ),
        Dataset(
            id="mnist",
            title="MNIST",
            image_shape=(1, 28, 28),
            class_names=DIGIT_NAMES,
            sizes=(50_000, 10_000, 10_000),
            licence="CC BY-SA 3.0",
            source="Y. LeCun, C. Cortes, C. Burges: The MNIST database, yann.lecun.com/exdb/mnist",
            read=read_raw,
            files=tuple(FILES),
            torchvision="MNIST",
            fit="mnist",
        ),
        Dataset(
            id="fashion-mnist",
            title="Fashion-MNIST",
            image_shape=(1, 28, 28),
            class_names=(
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
                *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
            ),
            sizes=(50_000, 10_000, 10_000),
            licence="MIT",
            source="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv:1708.07747",
            read=read_raw,
            files=tuple(FILES),
            torchvision="FashionMNIST",
        ),
        Dataset(
            id="kmnist",
            title="Kuzushiji-MNIST",
            image_shape=(1, 28, 28),
            class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
            sizes=(50_000, 10_000, 10_000),
            licence="CC BY-SA 4.0",
            source="T. Clanuwat et al.: Deep Learning for Classical Japanese Literature, arXiv:1812.01718; CODH",
            read=read_raw,
            files=tuple(FILES),
            torchvision="KMNIST",
        ),
    )
}


def dataset_ids() -> tuple[str, ...]:
    """Return the registered names, the default first."""
    return tuple(DATASETS)


def unknown_data(name: str) -> InputError:
    """Return the error for a name that is neither registered nor a path."""
    return InputError("data.unknown", name=name, names=", ".join(DATASETS))
