"""When snapshots are taken and records written, and the learning rate."""

from __future__ import annotations

import pytest

from cvae.training.schedule import lr_factor, record_steps, snapshot_steps


def test_snapshots_are_dense_early_and_sparse_late():
    assert snapshot_steps(12, 3) == [0, 1, 2, 4, 8, 12, 24, 36]
    assert snapshot_steps(1, 2) == [0, 1, 2]
    for epochs in (1, 49, 50, 51, 73, 1000, 99_999):
        steps = snapshot_steps(391, epochs)
        assert steps[-1] == 391 * epochs
        assert len(steps) <= 62


def test_every_epoch_ends_in_a_record():
    for per_epoch, epochs in ((1, 1), (4, 3), (391, 10), (391, 5000)):
        steps = record_steps(per_epoch, epochs)
        assert set(range(per_epoch, per_epoch * epochs + 1, per_epoch)) <= set(steps)
        assert min(steps) == 1
        assert len(steps) < max(1000, epochs) + 30


def test_learning_rates():
    assert {lr_factor("constant", step, 10, 5) for step in range(50)} == {1.0}
    cosine = [lr_factor("cosine", step, 10, 5) for step in range(51)]
    assert cosine == sorted(cosine, reverse=True)
    assert (cosine[0], cosine[25], cosine[50]) == pytest.approx((1, 0.5, 0))
    epochs = [lr_factor("iwae", 7 * epoch, 7, 3280) for epoch in range(3281)]
    rates = sorted(set(epochs), reverse=True)
    assert rates == pytest.approx([10 ** (-i / 7) for i in range(8)])
    assert [epochs[:3280].count(rate) for rate in rates] == [3**i for i in range(8)]
    short = [lr_factor("iwae", step, 10, 10) for step in range(101)]
    assert short[:81] == pytest.approx([lr_factor("iwae", step, 10, 3280) for step in range(81)])
    assert short[80:] == pytest.approx([short[80] * (100 - step) / 20 for step in range(80, 101)])
