"""From bytes to batches: order, grey values, binary draws."""

from __future__ import annotations

import torch

from cvae.conditions import ClassCondition
from cvae.data import ImageData
from cvae.training.batches import DeviceSplit

LABELS = (ClassCondition("label", tuple("0123456789")),)


def test_binarised_pixels_are_fresh_in_training_and_fixed_when_measured(few_digits: ImageData):
    batches = DeviceSplit(few_digits.train, LABELS, "dynamic", torch.device("cpu"))
    index, generator = torch.arange(64), torch.Generator().manual_seed(0)
    first, second = (batches.train_batch(index, generator)[0] for _ in range(2))
    fixed, again = (batches.eval_batch(index)[0] for _ in range(2))
    for x in (first, second, fixed):
        assert set(x.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(first, second)
    assert torch.equal(fixed, again)
    assert torch.equal(
        DeviceSplit(few_digits.train, LABELS, "dynamic", torch.device("cpu")).eval_batch(index[:5])[0], fixed[:5]
    )
    grey = torch.from_numpy(few_digits.train.images[:64]).float() / 255
    mean = torch.stack([batches.train_batch(index, generator)[0] for _ in range(400)]).mean(0)
    torch.testing.assert_close(mean, grey, atol=0.15, rtol=0)


def test_static_binarisation_trains_on_the_draw_that_is_measured(few_digits: ImageData):
    batches = DeviceSplit(few_digits.train, LABELS, "static", torch.device("cpu"))
    index, generator = torch.arange(64), torch.Generator().manual_seed(0)
    x, y = batches.train_batch(index, generator)
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(x, batches.train_batch(index, generator)[0])
    assert torch.equal(x, DeviceSplit(few_digits.train, LABELS, "dynamic", torch.device("cpu")).eval_batch(index)[0])
    assert y.argmax(1).tolist() == few_digits.train.labels[:64].tolist()


def test_grey_pixels_and_labels_come_as_they_are(few_digits: ImageData):
    batches = DeviceSplit(few_digits.train, LABELS, None, torch.device("cpu"))
    index = torch.tensor([5, 0, 5])
    x, y = batches.train_batch(index, torch.Generator())
    torch.testing.assert_close(x, torch.from_numpy(few_digits.train.images[[5, 0, 5]]).float() / 255)
    assert y.argmax(1).tolist() == few_digits.train.labels[[5, 0, 5]].tolist()
    assert y.sum(1).tolist() == [1.0] * 3


def test_every_epoch_has_another_order_of_all_images(few_digits: ImageData):
    batches = DeviceSplit(few_digits.train, LABELS, None, torch.device("cpu"))
    orders = [batches.order(seed, epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for order in orders:
        assert sorted(order.tolist()) == list(range(256))
    assert len({tuple(order.tolist()) for order in orders}) == 3
    assert torch.equal(batches.order(0, 1), orders[1])
