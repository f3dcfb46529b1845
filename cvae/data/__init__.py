"""This package reads registered data sets and the user's own images as `ImageData`: bytes in memory, three splits.

    images.py    ImageData, Split, the rule of the splits
    registry.py  DATASETS: the registered data sets and their files
    idx.py       the file format of MNIST and its relatives
    npz.py       the user's own images as an .npz file
    folder.py    the user's own images as a folder
    fetch.py     download, on request only

All arrays are NumPy's: only a download imports torch, because torchvision knows the addresses of the files.
"""

from __future__ import annotations

import os
from pathlib import Path

from cvae.conditions import one_hot
from cvae.config import DataConfig
from cvae.data.fetch import download
from cvae.data.images import ImageData, Split
from cvae.data.registry import DATASETS, Dataset, dataset_ids, unknown_data
from cvae.errors import InputError

__all__ = ["DATASETS", "Dataset", "ImageData", "Split", "dataset_ids", "download", "load_data", "one_hot"]


def load_data(config: DataConfig) -> ImageData:
    """Read the data that a config names, without any download.

    `config.name` is a registered name, with files below `config.dir` or `./data`, or else the path of the user's own
    `.npz` file or folder (`npz.load_npz` and `folder.load_folder` describe their contents). Training applies
    `config.binarize`. Data that cannot be read raises `InputError`.
    """
    if config.name in DATASETS:
        return DATASETS[config.name].load(config.dir)
    path = Path(os.path.expanduser(config.name))
    if config.dir is not None and not os.path.exists(path):  # the file has moved since a run was trained on it
        path = Path(config.dir) / path.name
    if os.path.isdir(path):
        from cvae.data.folder import load_folder  # it imports Pillow, which only this branch needs

        return load_folder(path)
    if os.path.isfile(path):
        if path.suffix != ".npz":
            raise InputError("data.no_npz", path=path)
        from cvae.data.npz import load_npz

        return load_npz(path)
    if path.suffix == ".npz" or len(path.parts) > 1:
        raise InputError("data.no_file", path=path)
    raise unknown_data(config.name)
