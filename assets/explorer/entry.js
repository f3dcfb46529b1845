/**
 * The encoder's half of the page: the pad, what its picture is encoded as, and which code of its posterior is taken.
 */

import { button, el } from "../shared/dom.js";
import { readLabel } from "./input.js";
import { createNoise } from "./noise.js";
import { createPad } from "./pad/pad.js";
import { classAmong } from "./state.js";

/** @param {import("./app.js").App} app */
export function createEntry(app) {
  const { words } = app;
  /** @type {number | null} the class that the user chose for the picture */ let chosen = null;
  /** @type {number | null} the class that the model read */ let read = null;
  let asked = 0,
    binary = false; // whether grey pixels are rounded to 0 and 1
  /** @type {WeakMap<Float32Array, Float32Array>} */
  const rounded = new WeakMap();

  const pad = createPad({
    words,
    get models() {
      return app.models;
    },
    get theme() {
      return app.theme;
    },
    asSeen,
    replaced() {
      chosen = read = null;
    },
    input() {
      asked ||= requestAnimationFrame(put);
    },
    settled() {
      put();
      app.settle();
    },
  });
  const noise = createNoise(app);
  const rounding = button("lx-toggle", null, () => {
    binary = !binary;
    pad.update();
    put();
    app.settle();
  });
  words.put(rounding, "entry.binary");

  /** The picture of the pad, perhaps rounded. @type {import("./input.js").Picture} */
  const picture = {
    get blank() {
      return pad.picture.blank;
    },
    pixelsFor: (model) => asSeen(pad.picture.pixelsFor(model)),
  };

  /** Return the pixels that the networks see. @param {Float32Array} pixels */
  function asSeen(pixels) {
    if (!binary) return pixels;
    const known = rounded.get(pixels) ?? pixels.map(Math.round);
    rounded.set(pixels, known);
    return known;
  }

  const about = classAmong(app.extent.conditions.filter(({ name }) => app.controls.has(name)));
  const classes = about?.values ?? [];
  const choice = el("select", "lx-select", [
    el("option", "", [], { value: "" }),
    ...classes.map((name, k) => {
      const option = el("option", "", [], { value: String(k) });
      option.textContent = name;
      return option;
    }),
  ]);
  choice.onchange = () => {
    chosen = choice.value === "" ? null : Number(choice.value);
    put();
    app.settle();
  };
  const label = el("label", "lx-encoded-as", [words.put(el("span"), "entry.label"), choice]);
  label.hidden = !classes.length;
  const judged = el("p", "lx-note");
  const element = el("div", "lx-entry", [
    words.put(el("h2", "lx-heading"), "half.input"),
    pad.element,
    el("div", "lx-row", [label, rounding]),
    judged,
    noise.element,
  ]);

  /** The class of the picture: chosen, known, or read by the model. */
  const labelNow = () => chosen ?? known() ?? read;
  const known = () => (about ? pad.picture.labelFor({ ...app.models[0], classes }) : null);

  /** Encode the picture of the pad. */
  function put() {
    cancelAnimationFrame(asked);
    asked = 0;
    if (pad.picture.blank) read = null;
    app.putIn(picture, labelNow());
  }

  /** Let the model read the class of a picture of which nobody knows it. */
  function readNow() {
    if (classes.length && !pad.picture.blank && known() === null) read = readLabel(app, classes.length) ?? read;
  }

  return {
    element,
    /** Encode the picture of the pad, before the page is drawn. */
    take() {
      app.takeIn(picture, labelNow());
      const before = labelNow();
      readNow();
      if (labelNow() !== before) app.takeIn(picture, labelNow());
    },
    /** Let the model read the class, where nobody knows it, and encode the picture as that. */
    read() {
      const before = labelNow();
      readNow();
      if (labelNow() !== before) put();
    },
    /** Show what has changed beside the pad. */
    update() {
      noise.update();
      rounding.setAttribute("aria-pressed", String(binary));
      const value = chosen === null ? "" : String(chosen);
      if (choice.value !== value) choice.value = value;
      const now = known() ?? read;
      const name = now === null ? "" : classes[now];
      const key = known() !== null ? "known" : now === null ? "unread" : "read";
      const text = words.say(`entry.${key}`, { name });
      if (choice.options[0].textContent !== text) choice.options[0].textContent = text; // not at every frame
    },
    /** Show what the judge says of the picture. */
    judge() {
      const { picture } = app.input;
      const verdict = picture && app.verdict(0, picture.pixelsFor(app.models[0]));
      judged.hidden = !verdict;
      if (verdict) judged.textContent = words.say("judge.reads", { ...verdict, share: percent(verdict.share) });
    },
    redraw: () => pad.update(),
    stop: () => pad.stop(),
  };
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(0)} %`;
