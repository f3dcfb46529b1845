"""One contract for every family and task, over networks, likelihoods, grey and colour; then what one has alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from helpers.engine import KINDS, one_hot, tiny_model
from torch import Tensor

from cvae.config import LIKELIHOODS, NETS, ModelConfig, ObjectiveConfig, RunConfig
from cvae.errors import InputError
from cvae.models import Autoencoder, build
from cvae.models.base import BoundTerms
from cvae.models.cvae_predictive import PredictiveCVAE
from cvae.models.distributions import Gaussian
from cvae.runs.folder import Run
from cvae.training.load import load

N, K, D = 5, 4, 3  # images, classes, latent dimensions
CLASSES = ("sun", "moon", "star", "rain")
SHAPES = [(1, 8, 8), (3, 9, 14)]  # the smallest grey image; a colour one with an odd side
CASES = [  # every family and task meets each network, each likelihood and each shape once
    (family, task, NETS[i % 2], likelihood, SHAPES[(i + turn) % 2])
    for turn, (family, task) in enumerate(KINDS)
    for i, likelihood in enumerate(LIKELIHOODS)
]

# What has no gradient, and why.
UNUSED = {("cvae-predictive", True): {"raw_log_sigma"}}  # a label has no pixels


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(config: ModelConfig, seed: int = 0) -> Autoencoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(config)


def images(shape: tuple[int, int, int], n: int = N) -> Tensor:
    return torch.rand(n, *shape, generator=generator(1))


@dataclass
class Case:
    """A model, images and labels for it, and what its decoder and its prior are given."""

    model: Autoencoder
    x: Tensor
    y: Tensor

    @property
    def config(self) -> ModelConfig:
        return self.model.config

    @property
    def given(self) -> Tensor | None:
        return self.y if self.config.takes_condition else self.x if self.model.family.completes else None

    @property
    def out_shape(self) -> tuple[int, ...]:
        return (K,) if self.config.predicts_label else self.config.image_shape

    def terms(self, y: Tensor | None = None, **options: int) -> BoundTerms:
        terms: BoundTerms = self.model(self.x, self.y if y is None else y, generator=generator(), **options)
        return terms


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, case[:4])))
def case(request: pytest.FixtureRequest) -> Case:
    return case_of(*request.param)


@pytest.fixture(params=KINDS, ids="-".join)
def kind(request: pytest.FixtureRequest) -> Case:
    """A family and task, for what no network, likelihood or shape has a part in."""
    return case_of(*request.param, "mlp", "bernoulli", SHAPES[0])


def case_of(family: str, task: str, net: str, likelihood: str, shape: tuple[int, int, int]) -> Case:
    config = tiny_model(
        family, task=task, alpha=0.5, net=net, likelihood=likelihood, image_shape=shape, class_names=CLASSES,
        latent_dim=D,
    )  # fmt: skip
    return Case(make(config), images(shape), one_hot(0, 1, 2, 3, 0, classes=K))


def test_shapes(case: Case):
    q = case.model.encode(case.x, case.y)
    assert q.mean.shape == (N, D)
    z = q.sample(2, generator())
    assert z.shape == (2, N, D)
    assert case.model.logits(z, case.given).shape == (2, N, *case.out_shape)
    decoded = case.model.decode(q.mean, case.given)
    assert decoded.shape == (N, *case.out_shape)
    assert decoded.min() >= 0
    assert decoded.max() <= 1
    if case.out_shape == (K,):
        torch.testing.assert_close(decoded.sum(-1), torch.ones(N))


def test_terms_of_the_bound(case: Case):
    terms = case.terms(k=4)
    if case.model.family.prior == "none":
        assert terms.reconstruction.shape == (1, N)  # one code: four draws of it would be the same
        assert terms.kl is terms.p is terms.neg_elbo is None
        return
    assert isinstance(terms.q, Gaussian)
    assert terms.z.shape == (4, N, D)
    assert terms.reconstruction.shape == terms.log_ratio().shape == terms.log_weight().shape == (4, N)
    assert terms.kl.shape == (N, D)
    assert (terms.kl >= -1e-6).all()
    torch.testing.assert_close(terms.neg_elbo, terms.reconstruction.mean(0) + terms.kl.sum(-1))


def test_the_prior_is_a_gaussian(kind: Case):
    if kind.model.family.prior == "none":
        with pytest.raises(ValueError, match="no prior"):
            kind.model.prior()
        return
    p = kind.model.prior(kind.given, n=N)
    assert p.mean.shape == p.log_var.shape == (N, D)
    if kind.model.family.prior == "standard":
        assert not p.mean.any()
        assert not p.log_var.any()


def check_that_every_parameter_learns(case: Case, objective: ObjectiveConfig) -> None:
    loss, _ = case.model.loss(case.x, case.y, objective, beta=1.0, generator=generator())
    assert loss.shape == ()
    loss.backward()
    unused = UNUSED.get((case.config.family, case.config.predicts_label), set())
    for name, parameter in case.model.named_parameters():
        if name in unused:
            assert parameter.grad is None, name
            continue
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_every_parameter_learns(case: Case):
    check_that_every_parameter_learns(case, ObjectiveConfig())


def test_every_parameter_learns_from_several_samples(kind: Case):
    check_that_every_parameter_learns(kind, ObjectiveConfig(k=3))


def test_a_generator_decides_every_draw(kind: Case):
    global_state = torch.get_rng_state()
    same, again, other = (kind.model(kind.x, kind.y, k=2, generator=generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(global_state, torch.get_rng_state())
    assert torch.equal(same.reconstruction, again.reconstruction)
    if kind.model.family.prior != "none":
        assert not torch.equal(same.z, other.z)


def test_saved_and_loaded_it_gives_the_same_outputs(case: Case, tmp_path: Path):
    run = Run.create(tmp_path / "run", RunConfig(model=case.config))
    run.write_arrays("model", {k: v.numpy() for k, v in case.model.state_dict().items()})
    twin = load(run.path)
    assert not twin.training
    assert not any(p.requires_grad for p in twin.parameters())
    terms = twin(case.x, case.y, generator=generator())
    assert torch.equal(terms.reconstruction, case.terms().reconstruction)
    assert torch.equal(twin.decode(terms.q.mean, case.given), case.model.decode(terms.q.mean, case.given))


def test_wrong_labels_have_one_clear_error(kind: Case):
    if not kind.config.needs_labels:
        without = kind.model(kind.x, None, generator=generator())  # what it does not look at may be missing
        assert torch.equal(without.reconstruction, kind.terms().reconstruction)
        return
    wrong = (
        None,
        torch.tensor([0, 1, 2, 3, 0]),  # class numbers rather than vectors
        kind.y[:, :-1],  # another number of classes
        kind.y[:-1],  # fewer labels than images
        torch.cat([kind.y, kind.y]),
        kind.y.unsqueeze(0),
    )
    for y in wrong:
        with pytest.raises(
            InputError, match=r"needs vectors of its conditions \(label\) of shape \(.*4\), (and none|not)"
        ):
            kind.model(kind.x, y)


def test_labels_may_be_mixtures(kind: Case):
    mixed = 0.5 * kind.y + 0.5 * kind.y.roll(1, 0)
    terms = kind.terms(mixed)
    assert torch.isfinite(terms.reconstruction).all()
    sees_label = "label" in (*kind.model.family.encoder_sees, *kind.model.family.decoder_sees)
    if sees_label or kind.out_shape == (K,):
        assert not torch.equal(terms.reconstruction, kind.terms().reconstruction)
    if kind.model.config.takes_label:
        z = torch.randn(N, D, generator=generator())
        assert kind.model.decode(z, mixed).shape == (N, *kind.out_shape)
        assert kind.model.prior(mixed).mean.shape == (N, D)


def test_one_label_may_stand_for_all(kind: Case):
    one = kind.y[:1]
    assert torch.equal(kind.terms(one).reconstruction, kind.terms(one.repeat(N, 1)).reconstruction)


def test_black_and_white_images_have_a_finite_loss(case: Case):
    for x in (torch.zeros_like(case.x), torch.ones_like(case.x)):
        loss, _ = case.model.loss(x, case.y, ObjectiveConfig(), 1.0, generator())
        assert torch.isfinite(loss)


def test_one_image_is_a_batch(case: Case):
    one = case.model.encode(case.x[:1], case.y[:1])
    torch.testing.assert_close(one.mean, case.model.encode(case.x, case.y).mean[:1], rtol=1e-4, atol=1e-5)


# --- what is particular to a family


@pytest.mark.parametrize(
    ("family", "listens"), [("vae", False), ("cvae", True), ("cvae-learned-prior", True), ("cmma", False)]
)
def test_whose_decoder_sees_the_label(family: str, listens: bool):
    model = make(tiny_model(family))
    z = torch.randn(3, 2, generator=generator())
    two, eight = model.logits(z, one_hot(2, 2, 2)), model.logits(z, one_hot(8, 8, 8))
    assert torch.equal(two, eight) is not listens


@pytest.mark.parametrize(
    ("family", "moves"), [("vae", False), ("cvae", False), ("cvae-learned-prior", True), ("cmma", True)]
)
def test_whose_prior_depends_on_the_label(family: str, moves: bool):
    p = make(tiny_model(family)).prior(one_hot(2, 8))
    assert torch.equal(p.mean[0], p.mean[1]) is not moves


@pytest.mark.parametrize("net", NETS)
def test_training_starts_at_the_mean_image(net: str):
    """With nothing from z the decoder draws the mean image: exactly (mlp), or its mean a channel (conv)."""
    mean = torch.rand(3, 12, 12, generator=generator()) * 0.9 + 0.05
    model = make(tiny_model(net=net, image_shape=(3, 12, 12)))
    model.init_output_bias(mean)
    with torch.no_grad():
        last = [m for m in model.decoder.head if hasattr(m, "weight")][-1]
        last.weight.zero_()
    picture = model.decode(torch.randn(1, 2, generator=generator()))[0]
    if net == "mlp":
        torch.testing.assert_close(picture, mean)
    else:
        torch.testing.assert_close(picture.logit(), mean.mean((1, 2), keepdim=True).logit().expand(3, 12, 12))


def predictive(**changes: object) -> PredictiveCVAE:
    model = make(tiny_model("cvae-predictive", **changes))
    assert isinstance(model, PredictiveCVAE)
    return model


@pytest.mark.parametrize(
    ("quadrants", "visible"),
    [(1, ["lower left"]), (2, ["lower left", "upper left"]), (3, ["lower left", "upper left", "lower right"])],
)
def test_which_quadrants_are_given(quadrants: int, visible: list[str]):
    model = predictive(quadrants=quadrants, image_shape=(1, 9, 8))
    corners = {
        "upper left": model.visible[:4, :4],
        "upper right": model.visible[:4, 4:],
        "lower left": model.visible[4:, :4],
        "lower right": model.visible[4:, 4:],
    }
    for name, corner in corners.items():
        assert corner.all() if name in visible else not corner.any()


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("quadrants", [1, 2, 3])
def test_a_completion_keeps_what_is_given_and_does_not_peek(quadrants: int, net: str):
    model = predictive(quadrants=quadrants, net=net, image_shape=(3, 9, 10))
    x = images((3, 9, 10))
    z = torch.randn(N, 2, generator=generator())
    completed = model.decode(z, x)
    torch.testing.assert_close(completed[..., model.visible], x[..., model.visible])
    assert not torch.equal(completed[..., ~model.visible], x[..., ~model.visible])
    other = torch.where(model.visible, x, torch.rand(x.shape, generator=generator(9)))  # as given, hidden ones changed
    assert torch.equal(model.decode(z, other), completed)
    assert torch.equal(model.predict(other), model.predict(x))
    assert torch.equal(model.prior(other).mean, model.prior(x).mean)
    assert not torch.equal(model.encode(other).mean, model.encode(x).mean)  # q sees the whole image


def test_only_hidden_pixels_are_paid_for():
    model = predictive(quadrants=3)
    x = images((1, 8, 8))
    logits = torch.zeros(1, N, 1, 8, 8)
    hidden = 16  # of 64 pixels; a logit of 0 costs ln 2 a pixel, whatever the pixel
    torch.testing.assert_close(model.target_nll(x, None, logits), torch.full((1, N), hidden * 0.6931472))


def test_a_label_is_predicted_without_being_seen():
    model = predictive(task="label")
    x, two, eight = images((1, 8, 8)), one_hot(*[2] * N), one_hot(*[8] * N)
    assert not torch.equal(model.encode(x, two).mean, model.encode(x, eight).mean)  # q(z|c, t) sees it
    first, second = (model(x, y, generator=generator()) for y in (two, eight))
    assert torch.equal(first.p.mean, second.p.mean)  # p(z|c) does not
    z = torch.zeros(N, 2)
    for answer in (model.decode(z, x), model.predict(x)):
        torch.testing.assert_close(answer.sum(-1), torch.ones(N))


@pytest.mark.parametrize("task", ["quadrants", "label"])
def test_the_hybrid_weighs_two_bounds(task: str):
    """α·L_CVAE + (1−α)·L_GSNN beside the baseline's loss; at α = 0 the encoder q has no part in it."""
    x, y = images((1, 8, 8)), one_hot(0, 1, 2, 3, 4)

    models = {alpha: predictive(task=task, alpha=alpha) for alpha in (0.0, 0.25, 1.0)}  # of the same weights

    def loss(alpha: float) -> Tensor:
        return models[alpha].loss(x, y, ObjectiveConfig(), 1.0, generator())[0]

    torch.testing.assert_close(loss(0.25), 0.25 * loss(1.0) + 0.75 * loss(0.0))
    loss(0.0).backward()
    model = models[0.0]
    assert not any(p.grad is not None and p.grad.any() for p in model.encoder.parameters())
    assert all(p.grad is not None and p.grad.any() for p in model.prior_net.parameters())


def test_the_baseline_shares_nothing_with_the_model():
    model = predictive()
    loss, terms = model.loss(images((1, 8, 8)), None, ObjectiveConfig(), 1.0, generator())
    (loss - terms.neg_elbo.mean()).backward()
    for name, parameter in model.named_parameters():
        touched = parameter.grad is not None and bool(parameter.grad.abs().max() > 1e-6)
        assert touched == name.startswith("baseline."), name


def test_what_predictive_is_given_cannot_be_left_out():
    model = predictive()
    for call in (model.prior, lambda: model.decode(torch.zeros(1, 2))):
        with pytest.raises(ValueError, match="images"):
            call()


@pytest.mark.parametrize("family", ["vae", "cmma", "cvae-learned-prior", "cvae-predictive"])
def test_log_variances_are_bounded_and_a_prior_net_more_tightly(family: str):
    """Two learned Gaussians could otherwise drift in scale together."""
    model = make(tiny_model(family))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 1e3
    x, y = images((1, 8, 8)), one_hot(*range(N))
    terms = model(x, y, generator=generator())
    assert 9 < terms.q.log_var.abs().max() <= 10
    if family != "vae":
        assert 3.9 < terms.p.log_var.abs().max() <= 4


def test_the_learned_sigma_is_bounded():
    model = make(tiny_model(likelihood="gaussian-learned"))
    for raw in (-1e6, 1e6):
        with torch.no_grad():
            model.raw_log_sigma.fill_(raw)
        assert model.log_sigma().abs() <= 6


def test_a_fixed_sigma_scales_the_squares():
    x = images((1, 8, 8))
    narrow, wide = (make(tiny_model("ae", likelihood="gaussian", sigma=s)) for s in (0.5, 1.0))
    pixels = 64
    squares = 2 * (wide(x).reconstruction - pixels * 0.9189385)
    torch.testing.assert_close(narrow(x).reconstruction, 2 * squares + pixels * (0.9189385 - 0.6931472))
