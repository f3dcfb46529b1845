/**
 * Choose one of several classes, or a mixture. Above each class is its image at the same z, for every model that takes
 * a class; with a learned prior, it is at the same noise in the class's own prior.
 */

import { mainLabel, mixture, oneHot } from "../blend.js";
import { button, el, icon } from "../../shared/dom.js";
import { createScreen, savePicture, sheetOf } from "../picture.js";
import { PayloadError } from "../../shared/problem.js";
import { classColor } from "../../shared/theme.js";

/**
 * @typedef {import("./index.js").Condition} Condition with the names of the classes in `values`
 * @typedef {{weights: number[], mixing: boolean}} Value
 *   weights: those of the classes, each 0 … 1, before `mixture`. mixing: whether the user mixes several classes.
 */

/** @param {number} k @param {number} count @returns {Value} */
const only = (k, count) => ({ weights: oneHot(k, count), mixing: false });

/** @type {import("./index.js").Kind} */
export const classKind = {
  panel: "labels",
  read({ name, kind, values }) {
    if (!Array.isArray(values) || !values.length) throw new PayloadError("mismatch", { name });
    return { name, kind, width: values.length, values: values.map(String) };
  },
  initial: ({ width }) => only(0, width),
  merge(/** @type {Value} */ value, change, { width }) {
    const { weights, mixing } = change ?? {};
    const next = { ...value };
    if (typeof mixing === "boolean") next.mixing = mixing;
    const good = (/** @type {any} */ w) => Number.isFinite(w) && w >= 0;
    const fits = Array.isArray(weights) && weights.length === width && weights.every(good);
    if (fits && Number.isFinite(weights.reduce((a, b) => a + b, 0))) next.weights = [...weights];
    return next;
  },
  put: (/** @type {Value} */ { weights }, _, given, at) => given.vector.set(mixture(weights), at),
  ofLabel: (label, { width }) => (label < width ? only(label, width) : undefined),
  labelOf: (/** @type {Value} */ { weights }) => mainLabel(weights),
  follows: (/** @type {Value} */ { mixing }) => !mixing,
  showcase(_, /** @type {Value} */ { weights }) {
    const shares = mixture(weights);
    return shares.map((share, k) => ({
      value: only(k, shares.length),
      label: k,
      color: classColor(k),
      here: share === 1,
    }));
  },
  named: (/** @type {Value} */ { weights }, { values }) => values?.[mainLabel(weights)] ?? "",
  create,
};

/** @param {import("../app.js").App} app @param {string} name @returns {import("./index.js").Control} */
function create(app, name) {
  const { words } = app;
  const rows = app.modelsGiven(name);
  const { values: classes = [] } = app.condition(name);
  const value = () => /** @type {Value} */ (app.state.conditions[name]);
  const each = classes.map((_, k) => only(k, classes.length));
  /** @param {Partial<Value>} change */
  const set = (change) => app.setCondition(name, { ...value(), ...change });

  const tiles = classes.map((text, k) => {
    const screens = rows.map((index) => createScreen(app.models[index].imageShape));
    const title = el("span", "lx-tile-name");
    title.textContent = text;
    title.style.borderColor = classColor(k);
    const choose = button("lx-tile-button", null, () => pick(k));
    choose.append(...screens.map(({ canvas }) => canvas), title);
    const weight = el("input", "lx-range lx-weight", [], { type: "range", min: "0", max: "1", step: "0.01" });
    weight.oninput = () => set({ weights: value().weights.map((w, i) => (i === k ? weight.valueAsNumber : w)) });
    weight.onchange = () => app.commit();
    words.label(weight, "labels.weightOf", { label: text });
    return { screens, choose, weight, element: el("div", "lx-tile", [choose, weight]) };
  });

  /** @param {number} k */
  function pick(k) {
    const { mixing, weights } = value();
    if (mixing) set({ weights: weights.map((w, i) => (i === k ? Number(w === 0) : w)) });
    else set(each[k]);
    app.commit();
  }

  const modes = [false, true].map((mixing) => {
    const element = button("lx-segment", null, () => {
      set(mixing ? { mixing } : each[mainLabel(value().weights)]);
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
    if (!value().mixing) pick(next);
  };

  const save = words.label(
    button("lx-tool", icon("save"), () => saveAll()),
    "labels.save",
  );
  async function saveAll() {
    const names = tiles.map(({ screens }) => screens.map(({ canvas }) => canvas));
    savePicture(await sheetOf(names, app.options.smooth), `${app.models[rows[0]].id}-${name}`);
  }

  const title = words.put(el("h3", "lx-heading"), "labels.title");
  const notes = rows.map((index) => {
    const model = app.models[index];
    return words.put(el("p", "lx-note"), app.movesCode(model) ? "labels.noteMoved" : "labels.note", {
      title: model.title,
    });
  });
  const segments = el(
    "div",
    "lx-segments",
    modes.map(({ element }) => element),
  );
  const head = el("div", "lx-head", [title, el("div", "lx-row", [segments, save])]);
  const element = el("section", "lx-labels", [head, group, ...notes]);

  const pictures = tiles.length * rows.length;
  let next = 0,
    waiting = 0;

  /** @param {number} at */
  function drawOne(at) {
    const k = at % tiles.length,
      row = Math.floor(at / tiles.length);
    const model = app.models[rows[row]];
    const { z, given } = app.at(rows[row], name, each[k]);
    tiles[k].screens[row].show(model.decode(z, given), app.theme.dark);
  }

  return {
    element,
    /** Mark all images as out of date. */
    invalidate: () => void (waiting = pictures),
    /**
     * Draw until the deadline, and continue there the next time, so that every label gets its image.
     * @param {number} deadline
     * @returns {number} the number of images that remain
     */
    draw(deadline) {
      while (waiting > 0 && performance.now() < deadline) {
        drawOne(next);
        next = (next + 1) % pictures;
        waiting--;
      }
      return waiting;
    },
    /** Show a changed choice. */
    update() {
      const { mixing, weights } = value();
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
    /** Choose the class with this digit as its name. */
    key(key) {
      const k = /^\d$/.test(key) ? classes.indexOf(key) : -1;
      if (k >= 0) set(each[k]);
      return k >= 0;
    },
  };
}
