"""Test the tests: break the code in many places, one at a time, and print the test that finds each break.

    python tests/breaks.py [--only TEXT] [--whole]

Each break runs, in a copy of the project, the tests of its own folder; with --whole, a surviving break then runs the
whole suite. A break that no test finds is a hole in the tests. The suite does not run this script: it runs a folder's
tests for each break, which takes some 25 minutes on one core.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = ("cvae", "pages", "tests", "assets", ".ci", ".streamlit")


@dataclass(frozen=True)
class Break:
    """A Break replaces the only `before` in a file by `after`; `tests` run first."""

    file: str
    before: str
    after: str
    tests: tuple[str, ...]


def of(folder: str, tests: str, *changes: tuple[str, str, str]) -> list[Break]:
    """Return the breaks of the files of one folder."""
    return [Break(f"{folder}/{file}", before, after, tuple(tests.split())) for file, before, after in changes]


BREAKS = [
    *of(
        "cvae",
        "tests/test_config.py tests/test_conditions.py tests/test_errors.py tests/test_architecture.py",
        ("conditions.py", "vector[k] = weight / total", "vector[k] = weight"),
        ("conditions.py", "weights.get(int(index), 0.0) + value", "value"),
        ("conditions.py", "(slice(h, None), slice(w, None)))", "(slice(h), slice(w, None)))"),
        ("config.py", "if self.k > 1 and self.free_bits > 0:", "if self.k > 2 and self.free_bits > 0:"),
        ("options.py", "not (above and value == low)", "not (above and value < low)"),
        ("architecture.py", 'codes = d if family.prior == "none" else 2 * d', "codes = 2 * d"),
        ("errors.py", "sentences(language).get(self.key) or", "sentences(DEFAULT).get(self.key) or"),
    ),
    *of(
        "cvae/families",
        "tests/families tests/explore",
        ("family.py", "np.exp(0.5 * bound * np.tanh(raw / bound))", "np.exp(bound * np.tanh(raw / bound))"),
        ("ae.py", "encode=point_code", "options=Family.options"),
    ),
    *of(
        "cvae/models",
        "tests/models",
        (
            "distributions.py",
            "return 0.5 * (p.log_var - q.log_var + ratio - 1)",
            "return 0.5 * (p.log_var - q.log_var + ratio)",
        ),
        ("distributions.py", "torch.exp(0.5 * self.log_var))", "torch.exp(self.log_var))"),
        ("distributions.py", "x.shape[-1] * (log_sigma + 0.5 * LOG_2PI)", "x.shape[-1] * log_sigma"),
        ("base.py", "kl = kl.clamp(min=objective.free_bits)", "kl = kl.clamp(max=objective.free_bits)"),
        (
            "base.py",
            "-w * terms.reconstruction - beta * terms.log_ratio()",
            "-w * terms.reconstruction - terms.log_ratio()",
        ),
        ("cvae_predictive.py", "+ (1 - alpha) * objective.recon_weight * gsnn", "+ (1 - alpha) * gsnn * 0"),
        ("cmma.py", "self.logits(z)", "self.logits(z * 0)"),
    ),
    *of(
        "cvae/training",
        "tests/training",
        ("step.py", "self.step / warmup", "(self.step + 1) / warmup"),
        ("step.py", "self.step % self.per_epoch * train.batch_size", "self.step * train.batch_size"),
        ("batches.py", "seed * 1_000_003 + epoch", "seed * 1_000_003"),
        ("schedule.py", "(1 + math.cos(", "(1 - math.cos("),
        ("recorder.py", "self.filled = 0\n        return", "return"),
        ("writer.py", '"history": self.history_length,', '"history": 0,'),
        ("checkpoint.py", 'generator.set_state(arrays["generator"])', "pass"),
        ("settings.py", "torch.set_flush_denormal(flushed)", "pass"),
    ),
    *of(
        "cvae/measuring",
        "tests/measuring",
        (
            "metrics.py",
            "bound = (weights.mean(0), grouped(5), grouped(50)",
            "bound = (weights.mean(0), grouped(50), grouped(5)",
        ),
        ("evaluation.py", "- log_mean_exp(log_p))", "- log_p.mean(0))"),
        ("exact.py", "+ constant + grid.log_area", "+ constant"),
        ("generation.py", "model.config.classes // samples", "model.config.classes % samples"),
        ("generation.py", "np.flatnonzero(split.labels == k)", "np.flatnonzero(split.labels >= 0)"),
    ),
    *of(
        "cvae/data",
        "tests/data",
        ("images.py", "np.random.RandomState(0)", "np.random.RandomState(1)"),
        ("images.py", "order[count - tenth :]", "order[count - 2 * tenth :]"),
        ("npz.py", "if dtype.hasobject:", "if False:"),
        ("folder.py", "ImageOps.exif_transpose(image)", "image"),
    ),
    *of(
        "cvae/explore",
        "tests/explore tests/measuring/test_metrics.py",
        ("decoding.py", "np.repeat(z, classes, axis=0)", "np.tile(z, (classes, 1))"),
        ("decoding.py", "z[::-1, None]", "z[:, None]"),
        ("inference.py", "return mean + std * e", "return mean + e"),
        ("codes.py", "means, np.float64).var(0) > ACTIVE", "means, np.float64).std(0) > ACTIVE"),
        ("projection.py", "variances[::-1][:components]", "variances[:components]"),
        ("numpy_nets.py", "np.maximum(x, 0)", "np.abs(x)"),
    ),
    *of(
        "cvae/plots",
        "tests/plots",
        ("codes.py", "(-0.5 * z**2)", "(-z**2)"),
        ("palette.py", "symbols[index // len(CLASS_COLORS) % len(symbols)]", "symbols[0]"),
    ),
    *of(
        "cvae/results",
        "tests/results",
        ("comparison.py", '"neg_elbo": "lower"', '"neg_elbo": "higher"'),
        ("recipes.py", "if option.applies(config):", "if True:"),
    ),
    *of(
        "cvae/ui",
        "tests/ui/test_app.py tests/ui/test_exploring_pages.py tests/ui/test_text.py"
        " tests/browser/test_explorer_conditions.py",
        ("frame/state.py", "abs(v) <= LARGEST_Z", "True"),
        ("frame/text.py", "for words in (table(language), table(DEFAULT)):", "for words in (table(language),):"),
        ("parts/cache.py", "if measured is not None and (step is None", "if measured is not None or (step is None"),
        ("components/explorer.py", "all(map(math.isfinite, state.z or ())) and state.lead", "state.lead"),
    ),
    *of(
        "assets/explorer",
        "tests/js tests/browser",
        ("prior.js", "(v - mean[i]) * Math.exp(", "v * Math.exp("),
        ("path.js", "la + (lb - la) * t", "la"),
        ("ops.js", "if (column < 0 || column >= w) continue;", "if (column < 0 || column > w) continue;"),
        ("blend.js", "weights.map(() => 1 / weights.length)", "weights.map(() => 0)"),
        ("gaussian.js", "if (p > 0.5) return -quantile(1 - p);", "if (p > 0.5) return quantile(1 - p);"),
        ("controls/class.js", "label < width", "label <= width"),
    ),
    *of(
        "assets/live",
        "tests/js tests/browser tests/ui/test_app_browser.py tests/ui/test_live_browser.py",
        ("store.js", "if (answer.token !== store.token)", "if (false)"),
        ("scale.js", "if (low === Infinity) return", "if (false) return"),
        ("dims.js", "Math.max(0.1, ...bars)", "0.1"),
    ),
    *of(
        "assets/shared",
        "tests/js tests/browser",
        ("nearest.js", "column(x + radius)", "column(x)"),
        ("tensor.js", "Infinity", "0"),
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="breaks whose file or text has this in it")
    parser.add_argument("--whole", action="store_true", help="ask the whole suite about the survivors")
    parser.add_argument("--check", action="store_true", help="only check that each place is there, once")
    args = parser.parse_args()
    wanted = [one for one in BREAKS if args.only in one.file + one.before]
    if args.check:
        return check(wanted)
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        for part in COPIED:
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ROOT.iterdir():
            if file.is_file():
                shutil.copy(file, copy)
        for one in wanted:
            found = found_by(copy, one, one.tests)
            if found is None and args.whole:
                found = found_by(copy, one, ("tests",))
            print(f"{one.file}: {one.before!r} → {one.after!r}\n    {found or 'SURVIVES'}", flush=True)
            survivors += [] if found else [one]
    print(f"{len(wanted) - len(survivors)} of {len(wanted)} breaks are found")
    sys.exit(bool(survivors))


def check(breaks: list[Break]) -> None:
    """Fail if the text of a break is missing or occurs more than once, or its tests are missing."""
    for one in breaks:
        count = (ROOT / one.file).read_text(encoding="utf-8").count(one.before)
        assert count == 1, f"{one.file} has {count} times {one.before!r}"
        assert all((ROOT / tests).exists() for tests in one.tests), one.tests


def found_by(copy: Path, one: Break, tests: tuple[str, ...]) -> str | None:
    """Return the first test that fails on the broken code; None if all pass."""
    file = copy / one.file
    whole = file.read_text(encoding="utf-8")
    assert whole.count(one.before) == 1, f"{one.file} has {whole.count(one.before)} times {one.before!r}"
    file.write_text(whole.replace(one.before, one.after), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
            cwd=copy,
            env={**os.environ, "OMP_NUM_THREADS": "1", "CVAE_REQUIRE_BROWSER": "1"},
            capture_output=True,
            text=True,
        )
    finally:
        file.write_text(whole, encoding="utf-8")
    if done.returncode == 0:
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0] if lines else done.stdout[-200:]


if __name__ == "__main__":
    main()
