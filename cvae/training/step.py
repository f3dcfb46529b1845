"""Take one step of training with a model, its optimiser, its noise and its streams of batches, without any files."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from cvae.config import RunConfig
from cvae.data import ImageData, Split
from cvae.errors import InputError
from cvae.models import Autoencoder, build
from cvae.models.base import BoundTerms
from cvae.training.batches import DeviceSplit
from cvae.training.schedule import lr_factor
from cvae.training.world import World


class Learner:
    """A Learner trains a model step by step. Every draw comes from the seed of the config.

    Raises `InputError` if the data lack images for one of the family's streams of batches.
    """

    def __init__(self, config: RunConfig, data: ImageData, device: torch.device, world: World) -> None:
        self.config, self.device, self.world = config, device, world
        train = config.train
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(train.seed)
            self.model: Autoencoder = build(config.model)
        self.model.init_output_bias(torch.from_numpy(data.train.images.mean(0, dtype=np.float64) / 255).float())
        self.model.to(device)
        self.parameters = list(self.model.parameters())
        self.optimiser = torch.optim.Adam(self.parameters, lr=train.lr, fused=True)
        self.noise = torch.Generator(device).manual_seed(train.seed)
        self.streams = self._streams(data.all_train if config.data.full_train else data.train, data.name)
        self.train = next(iter(self.streams.values()))  # an epoch takes each of these images once
        self.per_epoch = math.ceil(len(self.train) / train.batch_size)
        self.steps = self.per_epoch * train.epochs
        self.step = 0
        self.used_beta = 0.0  # the KL weight of the last step

    def on_device(self, split: Split) -> DeviceSplit:
        """Return a split of the data, with the model's conditions, on the training's device."""
        return DeviceSplit(split, self.config.model.batch_conditions, self.config.data.binarize, self.device)

    def _streams(self, split: Split, name: str) -> dict[str, DeviceSplit]:
        family, streams = self.model.family, {}
        for stream, choose in family.streams.items():
            chosen = choose(split)
            if not chosen.any():
                raise InputError("data.empty_stream", family=family.id, stream=stream, data=name)
            streams[stream] = self.on_device(split if chosen.all() else split.at(chosen))
        return streams

    def orders(self, epoch: int) -> list[Tensor]:
        """Return the order of the images in an epoch, (N,) for each stream."""
        seed = self.config.train.seed
        others = (stream.order(seed, epoch, len(self.train)) for stream in list(self.streams.values())[1:])
        return [self.train.order(seed, epoch), *others]

    def learn(self, orders: list[Tensor]) -> tuple[Tensor, BoundTerms]:
        """Take one step of Adam on the epoch's next batch; return the loss, in nats for each image, and its terms."""
        train = self.config.train
        factor = lr_factor(train.lr_schedule, self.step, self.per_epoch, train.epochs)
        self.optimiser.param_groups[0]["lr"] = train.lr * factor
        first = self.step % self.per_epoch * train.batch_size
        batches = {
            name: stream.train_batch(self.world.share(order[first : first + train.batch_size]), self.noise)
            for (name, stream), order in zip(self.streams.items(), orders, strict=True)
        }
        self.used_beta = self.beta()
        loss, terms = self.model.training_loss(batches, self.config.objective, self.used_beta, self.noise)
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.grad = self.world.mean(parameter.grad)
        self.optimiser.step()
        self.step += 1
        return loss, terms

    def beta(self) -> float:
        """Return the KL weight of this step: it rises linearly during the warm-up."""
        objective = self.config.objective
        warmup = objective.kl_warmup * self.per_epoch
        return objective.beta * min(1.0, self.step / warmup) if warmup else objective.beta
