/**
 * The labels: one chosen, or several mixed; and above each its picture at the same z, for every model that takes a
 * label. Where the label reaches the picture through z alone (cmma), z is carried over to each class's own prior.
 */

import { button, el } from "./dom.js";
import { createScreen } from "./picture.js";
import { labelMovesCode, transfer } from "./prior.js";
import { mainLabel, mixture, oneHot } from "./state.js";
import { classColor } from "./theme.js";

/** Whether a model's picture depends on the label. */
export const takesLabel = (/** @type {import("./model.js").Model} */ model) =>
  model.output === "image" && (model.sees === "z,label" || labelMovesCode(model));

/** @param {import("./app.js").App} app */
export function createLabels(app) {
  const { words } = app;
  const rows = app.models.flatMap((model, index) => (takesLabel(model) ? [index] : []));
  const { classes } = app.models[rows[0]];
  const oneHots = classes.map((_, k) => oneHot(k, classes.length));

  const tiles = classes.map((name, k) => {
    const screens = rows.map((index) => createScreen(app.models[index].imageShape));
    const title = el("span", "lx-tile-name");
    title.textContent = name;
    title.style.borderColor = classColor(k);
    const choose = button("lx-tile-button", null, () => pick(k));
    choose.append(...screens.map(({ canvas }) => canvas), title);
    const weight = el("input", "lx-range lx-weight", [], { type: "range", min: "0", max: "1", step: "0.01" });
    weight.oninput = () => app.setWeights(app.state.weights.map((w, i) => (i === k ? weight.valueAsNumber : w)));
    weight.onchange = () => app.commit();
    words.label(weight, "labels.weightOf", { label: name });
    return { screens, choose, weight, element: el("div", "lx-tile", [choose, weight]) };
  });

  /** @param {number} k */
  function pick(k) {
    const { mixing, weights } = app.state;
    if (mixing) app.setWeights(weights.map((w, i) => (i === k ? Number(w === 0) : w)));
    else app.chooseLabel(k);
    app.commit();
  }

  const modes = [false, true].map((mixing) => {
    const element = button("lx-segment", null, () => {
      app.setMixing(mixing);
      app.commit();
    });
    return { mixing, element: words.put(element, mixing ? "labels.mix" : "labels.one") };
  });
  const group = el(
    "div",
    "lx-tiles",
    tiles.map(({ element }) => element),
    { role: "group" },
  );
  words.label(group, "labels.title");
  const columns = Math.min(10, classes.length);
  group.style.setProperty("--lx-wide", String(columns));
  group.style.setProperty("--lx-few", String(Math.ceil(columns / 2)));
  group.onkeydown = (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const here = tiles.findIndex(({ choose }) => choose === event.target);
    if (!move || here < 0) return;
    event.preventDefault();
    const next = (here + move + tiles.length) % tiles.length;
    tiles[next].choose.focus();
    if (!app.state.mixing) pick(next);
  };

  const title = words.put(el("h3", "lx-heading"), "labels.title");
  const notes = rows.map((index) => {
    const model = app.models[index];
    return words.put(el("p", "lx-note"), labelMovesCode(model) ? "labels.noteMoved" : "labels.note", {
      title: model.title,
    });
  });
  const head = el("div", "lx-head", [
    title,
    el(
      "div",
      "lx-segments",
      modes.map(({ element }) => element),
    ),
  ]);
  const element = el("section", "lx-labels", [head, group, ...notes]);

  const pictures = tiles.length * rows.length;
  let next = 0,
    waiting = 0;

  /** @param {number} at */
  function drawOne(at) {
    const k = at % tiles.length,
      row = Math.floor(at / tiles.length);
    const model = app.models[rows[row]];
    const { z, weights, condition } = app.state;
    const code = labelMovesCode(model) ? transfer(model, z, mainLabel(weights), k) : z;
    tiles[k].screens[row].show(model.decode(code, oneHots[k], condition), app.theme.dark);
  }

  return {
    element,
    /** All pictures are out of date. */
    invalidate: () => void (waiting = pictures),
    /**
     * Draws until the deadline and goes on from there the next time, so that every label has its turn.
     * @param {number} deadline
     * @returns {number} how many pictures are still to be drawn
     */
    draw(deadline) {
      while (waiting > 0 && performance.now() < deadline) {
        drawOne(next);
        next = (next + 1) % pictures;
        waiting--;
      }
      return waiting;
    },
    /** The choice changed. */
    update() {
      const { mixing, weights } = app.state;
      const chosen = mainLabel(weights),
        shares = mixture(weights);
      element.classList.toggle("lx-mixing", mixing);
      modes.forEach((mode) => mode.element.setAttribute("aria-pressed", String(mode.mixing === mixing)));
      tiles.forEach(({ choose, weight }, k) => {
        const on = mixing ? weights[k] > 0 : k === chosen;
        choose.setAttribute("aria-pressed", String(on));
        choose.tabIndex = k === chosen ? 0 : -1;
        choose.style.setProperty("--lx-share", String(mixing ? shares[k] : Number(on)));
        weight.hidden = !mixing;
        weight.valueAsNumber = weights[k];
        weight.setAttribute("aria-valuetext", `${Math.round(100 * shares[k])} %`);
      });
    },
  };
}
