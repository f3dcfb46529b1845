"""The data sets that are known by name. One entry here feeds the command line, the menus, the cards and the tests."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvae.data.idx import FILES, find_idx, load_raw
from cvae.data.images import ImageData, shuffled_splits
from cvae.errors import InputError

DIGIT_NAMES = tuple("0123456789")


def usual_folder() -> Path:
    """Where data sets lie if nobody says otherwise: the environment's CVAE_DATA, or `data` in the working directory."""
    return Path(os.environ.get("CVAE_DATA") or "data")


@dataclass(frozen=True)
class Dataset:
    """What is known of a data set without reading it."""

    id: str
    title: str
    image_shape: tuple[int, int, int]  # channels, height, width
    class_names: tuple[str, ...]
    sizes: tuple[int, int, int]  # images for training, validation, test
    licence: str
    source: str
    torchvision: str = ""  # its class in torchvision.datasets and its folder on disk; empty: comes with scikit-learn

    @property
    def downloadable(self) -> bool:
        """Whether it has to be downloaded before it can be read."""
        return bool(self.torchvision)

    def folder(self, directory: str | Path | None) -> Path:
        """Where its files lie below a data directory (None: the usual one), in torchvision's layout."""
        usual = usual_folder() if directory is None else directory
        return Path(os.path.expanduser(usual)) / self.torchvision / "raw"

    def missing(self, directory: str | Path | None) -> list[str]:
        """Names of the files that reading it still needs; empty where it can be read at once."""
        if not self.downloadable:
            return []
        return [name for name in FILES if find_idx(self.folder(directory), name) is None]

    def load(self, directory: str | Path | None) -> ImageData:
        """Read it; files that are missing or damaged raise `InputError`."""
        if not self.downloadable:
            return _scikit_learn_digits(self)
        folder = self.folder(directory)
        if missing := self.missing(directory):
            lacking = "holds none of its files" if len(missing) == len(FILES) else f"lacks {', '.join(missing)}"
            raise InputError(
                f"{self.title} was looked for in {folder.absolute()}, which {lacking}: get it with"
                f" `python -m cvae train --data {self.id} --download`, or name with --data-dir the directory that"
                f" holds {self.torchvision}/raw."
            )
        return load_raw(folder, self.id, self.class_names)


def _scikit_learn_digits(dataset: Dataset) -> ImageData:
    package = importlib.util.find_spec("sklearn")  # its file is read directly: the package takes a second to import
    if package is None or package.origin is None:
        raise InputError(f"{dataset.title} comes with scikit-learn, which is not installed: pip install scikit-learn.")
    table = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    ink, labels = table[:, :-1].reshape(-1, 1, 8, 8), table[:, -1]
    images = np.rint(ink * (255 / 16)).astype(np.uint8)  # counts of ink 0..16 → 0..255
    return shuffled_splits(dataset.id, images, labels.astype(np.int64), dataset.class_names)


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
        ),
        Dataset(
            id="mnist",
            title="MNIST",
            image_shape=(1, 28, 28),
            class_names=DIGIT_NAMES,
            sizes=(50_000, 10_000, 10_000),
            licence="CC BY-SA 3.0",
            source="Y. LeCun, C. Cortes, C. Burges: The MNIST database, yann.lecun.com/exdb/mnist",
            torchvision="MNIST",
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
            torchvision="KMNIST",
        ),
    )
}


def dataset_ids() -> tuple[str, ...]:
    """The registered names, the default first."""
    return tuple(DATASETS)


def unknown_data(name: str) -> InputError:
    """The error for a name that is neither registered nor a path."""
    return InputError(
        f"there is no data {name!r}: choose {', '.join(DATASETS)}, or give the path of an .npz file or of a folder of"
        " images."
    )
