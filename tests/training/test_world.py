"""Several processes that train one model: the loop asks its world about them, and about nothing else."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from helpers.engine import tiny_run, without_times
from torch import Tensor

from cvae.data import ImageData
from cvae.runs.folder import Run
from cvae.training.loop import _Training
from cvae.training.step import Learner
from cvae.training.world import World

CPU = torch.device("cpu")


class Threads(World):
    """Two threads that stand for two processes: each has every other image of a batch."""

    def __init__(self, rank: int, shared: list[Tensor], barrier: threading.Barrier) -> None:
        super().__init__(writes=rank == 0)
        object.__setattr__(self, "parts", (rank, shared, barrier))

    def share(self, index: Tensor) -> Tensor:
        return index[self.parts[0] :: 2]

    def mean(self, value: Tensor) -> Tensor:
        rank, shared, barrier = self.parts
        shared[rank] = value
        barrier.wait(30)
        mean = (shared[0] + shared[1]) / 2
        barrier.wait(30)
        return mean


def test_two_that_share_each_batch_learn_what_one_learns(few_digits: ImageData) -> None:
    config = tiny_run("ae")  # no noise: shares of a batch add up to the batch
    even = few_digits.train.at(slice(0, 192))
    data = ImageData("even", few_digits.class_names, even, few_digits.validation, few_digits.test)
    alone = Learner(config, data, CPU, World())
    shared, barrier = [torch.empty(0)] * 2, threading.Barrier(2)
    pair = [Learner(config, data, CPU, Threads(rank, shared, barrier)) for rank in (0, 1)]

    def learn(learner: Learner) -> None:
        orders = learner.orders(0)
        for _ in range(learner.per_epoch):
            learner.learn(orders)

    threads = [threading.Thread(target=learn, args=(learner,)) for learner in pair]
    for thread in threads:
        thread.start()
    learn(alone)
    for thread in threads:
        thread.join(60)
    assert alone.step == pair[0].step == pair[1].step == 3
    for expected, *found in zip(alone.parameters, pair[0].parameters, pair[1].parameters, strict=True):
        assert torch.equal(*found)
        torch.testing.assert_close(found[0], expected, atol=1e-4, rtol=1e-3)


def test_a_process_that_does_not_write_leaves_the_folder_alone(path: Path, few_digits: ImageData) -> None:
    config = tiny_run("cvae")
    run = Run.create(path, config, "running")
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    silent = list(_Training(run, config, few_digits, World(writes=False)).records())
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    assert without_times(silent) == without_times(list(_Training(run, config, few_digits, World()).records()))
    assert run.status().state == "finished"


def test_all_stop_when_the_one_that_writes_says_so(path: Path, few_digits: ImageData) -> None:
    class Stops(World):
        def agree(self, flag: bool) -> bool:
            assert flag
            return False

    config = tiny_run("vae")
    run = Run.create(path, config, "running")
    assert list(_Training(run, config, few_digits, Stops()).records()) == []
    assert (run.status().state, run.status().step) == ("stopped", 0)


@pytest.mark.parametrize("flag", [True, False])
def test_a_world_of_one_agrees_with_itself(flag: bool) -> None:
    world, value = World(), torch.randn(3)
    assert world.agree(flag) is flag
    assert world.share(value) is value
    assert world.mean(value) is value
