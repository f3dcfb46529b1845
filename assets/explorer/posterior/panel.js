/**
 * What the bound costs the picture that was put in: −log p(x) = reconstruction + KL − gap, of each model, who is to
 * blame for the gap, what importance samples make of it, and how the model reads the picture.
 */

import { el, number } from "../../shared/dom.js";
import { classColor } from "../../shared/theme.js";
import { seenBy } from "../model.js";
import { labelOf } from "../state.js";
import { DRAWS } from "./bound.js";
import { isTractable } from "./exact.js";

const TICKS = 100; // of the slider of k, even in its logarithm

/** @typedef {import("./exact.js").Result} Result */

/**
 * @param {import("../app.js").App} app
 * @param {boolean} open whether its contents are shown at first
 */
export function createPanel(app, open) {
  const { words, models } = app;
  const range = el("input", "lx-range", [], { type: "range", min: "0", max: String(TICKS), value: "0" });
  words.label(range, "posterior.samples");
  const samples = () => Math.round(DRAWS ** (range.valueAsNumber / TICKS));
  const count = el("span", "lx-number-shown");
  range.oninput = () => update();
  const dial = el("label", "lx-samples", [words.put(el("span"), "posterior.samples"), range, count]);

  const columns = models.map((_, i) => (isTractable(models[i]) ? createColumn(app, i, samples) : null));
  const waiting = el("p", "lx-note", [], { role: "status" });
  const element = el("details", "lx-posterior", [
    words.put(el("summary", "lx-heading"), "posterior.title"),
    el(
      "div",
      "lx-posterior-models",
      columns.flatMap((column) => column?.element ?? []),
    ),
    dial,
    waiting,
    words.put(el("p", "lx-note"), "posterior.note", { x: seenBy(app.models) }),
  ]);
  element.open = open;

  function update() {
    const filled = app.inquiry?.filled() ?? 1;
    const blank = app.input.picture === null;
    waiting.textContent = blank
      ? words.say("posterior.blank")
      : filled < 1
        ? words.say("posterior.filling", { percent: Math.floor(100 * filled) })
        : columns.some((column) => column?.waits())
          ? words.say("posterior.working")
          : "";
    count.textContent = String(samples());
    range.style.setProperty("--lx-share", String(range.valueAsNumber / TICKS));
    columns.forEach((column) => column?.update());
  }
  return { element, update };
}

/** @param {import("../app.js").App} app @param {number} index @param {() => number} samples */
function createColumn(app, index, samples) {
  const { words, models } = app;
  const model = models[index];
  const title = el("h3", "lx-heading");
  title.textContent = model.title;
  const sum = el("p", "lx-sum");
  const parts = ["evidence", "approximation", "amortisation"].map((name) => el("span", `lx-part lx-part-${name}`));
  const terms = ["reconstruction", "kl"].map((name) => el("span", `lx-part lx-part-${name}`));
  const bars = el("div", "lx-bars", [el("div", "lx-bar", terms), el("div", "lx-bar", parts)], {
    "aria-hidden": "true",
  });
  const blame = el("p", "lx-note");
  const bound = el("p", "lx-note");
  const about = model.conditions.length === 1 ? model.conditions[0] : null;
  const tiles = (about?.values ?? []).map((name, k) => {
    const fill = el("span", "lx-share-fill");
    fill.style.background = classColor(k);
    const text = el("span");
    text.textContent = name;
    return { fill, element: el("span", "lx-share", [el("span", "lx-share-bar", [fill]), text]) };
  });
  const reads = el("p", "lx-note");
  const known = el("p", "lx-note"),
    rank = el("p", "lx-note");
  const shares = el(
    "div",
    "lx-shares",
    tiles.map((tile) => tile.element),
    { "aria-hidden": "true" },
  );
  const body = el("div", "lx-cost", [sum, bars, rank, blame, bound, shares, reads, known]);
  const element = el("div", "lx-posterior-model", [models.length > 1 ? title : null, body]);

  return {
    element,
    /** Return whether the figures of the picture are still computed. */
    waits: () => app.inquiry?.result(index)?.nats === null,
    update() {
      const result = app.inquiry?.result(index) ?? null;
      body.hidden = !result;
      if (!result) return;
      const grey = app.input.grey(index);
      const key = grey ? "loss" : "evidence";
      const given = about ? "y" : "none";
      showShares(result);
      const { nats } = result;
      sum.hidden = bars.hidden = !nats;
      if (!nats) rank.hidden = true;
      blame.hidden = result.approximation === null;
      bound.hidden = !result.bound;
      if (nats) {
        const { reconstruction, kl, gap, logPx } = nats;
        const name = words.say(`posterior.${key}.${given}`);
        const values = { name, value: number(-(logPx ?? 0), 1), reconstruction: number(reconstruction, 1), kl: number(kl, 1), gap: number(gap ?? 0, 2) }; // prettier-ignore
        words.put(sum, "posterior.sum", values);
        const whole = reconstruction + kl;
        widths(terms, [reconstruction, kl], whole);
        const { losses } = model;
        rank.hidden = !losses || (model.likelihood?.kind === "bernoulli" && grey === model.binarized);
        if (losses) words.put(rank, "posterior.rank", { share: `${Math.round(100 * rankOf(losses, whole))} %` });
        widths(parts, [-(logPx ?? 0), result.approximation ?? gap ?? 0, result.amortisation ?? 0], whole);
      }
      if (result.approximation !== null)
        words.put(
          blame,
          (result.amortisation ?? 0) > result.approximation ? "posterior.encoder" : "posterior.gaussian",
          {
            approximation: number(result.approximation, 2),
            amortisation: number(result.amortisation ?? 0, 2),
          },
        );
      if (result.bound) {
        const k = samples();
        words.put(bound, "posterior.bound", { k, value: number(-result.bound(k), 1) });
      }
      const nearest = nearestCode(app, index);
      known.hidden = nearest === null;
      const which = about ? "posterior.nearestGiven" : "posterior.nearest";
      if (nearest !== null) words.put(known, which, { distance: number(nearest, 2) });
    },
  };

  /** @param {Result} result */
  function showShares({ shares: found }) {
    shares.hidden = reads.hidden = !found;
    if (!found) return;
    tiles.forEach(({ fill }, k) => (fill.style.height = `${100 * found[k]}%`));
    const top = found.indexOf(Math.max(...found));
    words.put(reads, "posterior.reads", {
      name: about?.values?.[top] ?? "",
      share: `${(100 * found[top]).toFixed(1)} %`,
    });
  }
}

/** @param {HTMLElement[]} parts @param {number[]} values @param {number} whole */
function widths(parts, values, whole) {
  parts.forEach((part, i) => (part.style.width = `${Math.max(0, (100 * values[i]) / whole)}%`));
}

/**
 * Return the share of images whose −ELBO is smaller, from its quantiles.
 * @param {number[]} losses at even steps of the share
 * @param {number} loss
 */
export function rankOf(losses, loss) {
  const above = losses.findIndex((value) => value > loss);
  if (above < 0) return 1;
  if (above === 0) return 0;
  const [low, high] = [losses[above - 1], losses[above]];
  return (above - 1 + (loss - low) / (high - low)) / (losses.length - 1);
}

/**
 * Return the distance from the mean of q(z|x) to the nearest held-out code, or of q(z|x, y) to that of the same class;
 * null without one.
 * @param {import("../app.js").App} app
 * @param {number} index of the model
 */
function nearestCode({ models, input, extent }, index) {
  const { codes, conditions, latentDim: d } = models[index];
  const label = conditions.length ? labelOf(extent.conditions, input.values) : null;
  const mean = input.posteriors[index]?.mean;
  if (!codes || !mean) return null;
  let least = Infinity;
  for (let i = 0; i < codes.count; i++) {
    if (label !== null && codes.labels && codes.labels[i] !== label) continue;
    let squared = 0;
    for (let k = 0; k < d; k++) squared += (codes.points[i * d + k] - mean[k]) ** 2;
    least = Math.min(least, squared);
  }
  return Number.isFinite(least) ? Math.sqrt(least) : null;
}
