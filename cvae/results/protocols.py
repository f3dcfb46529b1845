"""`python -m cvae reproduce` follows these protocols: comparisons with published figures, and the project's own.

A protocol names its trainings, the way to measure them, and the resulting figures. Each published figure states how
far it was checked, and an unverified figure is shown as unverified.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from cvae.config import RunConfig
from cvae.errors import InputError
from cvae.families import FAMILIES
from cvae.results.recipes import RECIPES, data_of, model_of, objective_of, train_of

Checked = Literal["run beside this project", "read at its source", "second-hand", "unverified"]


@dataclass(frozen=True)
class Published:
    """Others published this figure."""

    value: float
    source: str
    checked: Checked


@dataclass(frozen=True)
class Figure:
    """A Figure is one of metrics.json: of one run, or the mean of several runs with different seeds."""

    what: str
    key: str
    runs: tuple[str, ...]  # labels of the protocol's runs
    published: tuple[Published, ...] = ()


@dataclass(frozen=True)
class Protocol:
    title: str
    runs: dict[str, RunConfig]
    figures: tuple[Figure, ...]
    samples: int = 1000  # importance samples of nll
    samples_published: int | None = None
    epochs_published: int | None = None
    difference: str = ""  # further differences from the published protocol

    def at(self, epochs: int | None = None, seed: int = 0) -> dict[str, RunConfig]:
        """Return the configs by label, with `epochs` if given, and with `seed` added to their own seeds."""
        return {label: _changed(config, epochs, seed) for label, config in self.runs.items()}


def _changed(config: RunConfig, epochs: int | None, seed: int) -> RunConfig:
    train = config.train
    train = dataclasses.replace(train, epochs=epochs or train.epochs, seed=train.seed + seed)
    return dataclasses.replace(config, train=train)


def protocol_named(name: str) -> Protocol:
    """Return the protocol of a name; an unknown name raises `InputError`."""
    if name not in PROTOCOLS:
        raise InputError("protocol.unknown", name=repr(name), names=", ".join(PROTOCOLS))
    return PROTOCOLS[name]


def _one_layer(family: str, epochs: int, k: int = 1) -> RunConfig:
    """Return network and training of Burda, Grosse & Salakhutdinov 2016 with one stochastic layer."""
    return RunConfig(
        data_of("mnist", binarize="dynamic", full_train=True),
        model_of("mnist", family, hidden=(200, 200), activation="tanh", latent_dim=50),
        objective_of(k=k),
        train_of(epochs, batch_size=20, lr_schedule="iwae"),
    )


def _quadrants(given: int) -> RunConfig:
    return RunConfig(
        data_of("mnist", binarize="dynamic"),
        model_of("mnist", "cvae-predictive", hidden=(400, 400), latent_dim=50, quadrants=given),
        objective_of(),
        train_of(10, batch_size=100, lr_schedule="cosine"),
    )


def _burda(value: float) -> tuple[Published, ...]:
    return (Published(value, "Burda, Grosse & Salakhutdinov 2016", "second-hand"),)


def _sohn(value: float) -> Published:
    return Published(value, "Sohn, Lee & Yan 2015", "unverified")


def _seeds(recipe: str) -> dict[str, RunConfig]:
    """Return a shipped run's training with three seeds."""
    config = RECIPES[recipe].config
    return {f"{config.model.family}-{seed}": _changed(config, None, seed) for seed in range(3)}


FAMILIES_COMPARED = ("ae", "vae", "cvae", "cvae-learned-prior", "cmma")
FAMILIES_FIGURES = (
    "neg_elbo",
    "nll",
    "nll_exact",
    "nll_mixture",
    "nll_mixture_exact",
    "accuracy_bayes",
    "conditional_accuracy",
    "linear_probe_accuracy",
)
K = (1, 5, 50)
CONDITIONAL = Published(82.32, "a public repository", "second-hand")
BETAS = (1.0, 2.0, 2.5)
QUADRANTS = {  # published: plain network, CVAE by Monte Carlo, by importance sampling
    1: (99.75, 68.39, 63.91),
    2: (62.18, 45.34, 44.73),
    3: (25.99, 20.96, 20.95),
}
COMPLETED = (
    ("plain network", "nll_baseline"),
    ("CVAE, Monte Carlo", "nll_monte_carlo"),
    ("CVAE, importance sampling", "nll"),
)
ONE_LAYER = (  # differences of these trainings from those of Burda et al.
    "the first stages of the published learning rates, then a fifth of the epochs down to 0; Adam as PyTorch has it"
    " (published: ε = 1e-4); PyTorch's first weights; log-variances bounded softly; one fixed draw of binary test"
    " pixels"
)

PROTOCOLS: dict[str, Protocol] = {
    "vae": Protocol(
        "The public reference VAE: 784-400-20, cross-entropy on grey pixels",
        {
            "vae": RunConfig(
                data_of("mnist", full_train=True),
                model_of("mnist", "vae", hidden=(400,), latent_dim=20),
                objective_of(),
                train_of(10),
            )
        },
        (
            Figure(
                "VAE 784-400-20, grey pixels",
                "neg_elbo",
                ("vae",),
                (Published(105.55, "PyTorch's example `vae`", "run beside this project"),),
            ),
        ),
        epochs_published=10,
        difference="the decoder's last bias starts at the mean image",
    ),
    "one-layer-vae": Protocol(
        "VAE with one stochastic layer, dynamic binarisation",
        {"vae": _one_layer("vae", epochs=400)},
        (Figure("VAE, one stochastic layer", "nll", ("vae",), _burda(86.76)),),
        samples=5000,
        samples_published=5000,
        epochs_published=3280,
        difference=ONE_LAYER,
    ),
    "iwae": Protocol(
        "IWAE on the same network, at equal epochs",
        {f"k-{k}": _one_layer("vae", epochs=5, k=k) for k in K},
        tuple(
            Figure(f"IWAE, k = {k}", "nll", (f"k-{k}",), _burda(value))
            for k, value in zip(K, (86.76, 85.54, 84.78), strict=True)
        ),
        samples_published=5000,
        epochs_published=3280,
        difference=ONE_LAYER,
    ),
    "conditional": Protocol(
        "CVAE with a learned prior on the same network",
        {"cvae": _one_layer("cvae-learned-prior", epochs=10)},
        (
            Figure("CVAE with a learned prior, −log p(x given y)", "nll", ("cvae",), (CONDITIONAL,)),
            Figure("the same, −log p(x)", "nll_mixture", ("cvae",)),
        ),
        samples_published=5000,
        epochs_published=3280,
        difference=ONE_LAYER,
    ),
    "quadrants": Protocol(
        "The hidden quadrants of a digit from 1, 2 or 3 given ones",
        {f"given-{given}": _quadrants(given) for given in QUADRANTS},
        tuple(
            figure
            for given, published in QUADRANTS.items()
            for figure in (
                Figure(f"{given} given, {what}", key, (f"given-{given}",), (_sohn(value),))
                for (what, key), value in zip(COMPLETED, published, strict=True)
            )
        ),
        difference="networks of 400-400 units with 50 latent dimensions; one fixed draw of binary test pixels",
    ),
    "static-vae": Protocol(
        "VAE 784-400-40 on pixels binarised once",
        {
            "vae": RunConfig(
                data_of("mnist", binarize="static"),
                model_of("mnist", "vae", hidden=(400,), latent_dim=40),
                objective_of(),
                train_of(40),
            )
        },
        (
            Figure(
                "VAE 784-400-40, static binarisation",
                "nll",
                ("vae",),
                (Published(89.78, "pythae", "read at its source"),),
            ),
        ),
        samples=200,
        samples_published=200,
        epochs_published=500,
        difference="a draw of our own in place of the published binary images",
    ),
    "families": Protocol(
        "Five families on one network with a latent plane, three seeds",
        {label: config for family in FAMILIES_COMPARED for label, config in _seeds(f"mnist-{family}").items()},
        tuple(
            Figure(family, key, tuple(f"{family}-{seed}" for seed in range(3)))
            for family in FAMILIES_COMPARED
            for key in FAMILIES_FIGURES
            if key not in ("nll", "nll_exact") or FAMILIES[family].takes == "nothing"  # of the others, of p(x|y)
        ),
        samples=50,
    ),
    "beta": Protocol(
        "What β costs and brings: CVAE with 16 latent dimensions",
        {
            f"beta-{beta:g}": dataclasses.replace(RECIPES["mnist-cvae-16d"].config, objective=objective_of(beta=beta))
            for beta in BETAS
        },
        tuple(
            Figure(f"β = {beta:g}", key, (f"beta-{beta:g}",))
            for beta in BETAS
            for key in ("neg_elbo", "nll_mixture", "conditional_accuracy")
        ),
        samples=200,
    ),
}
