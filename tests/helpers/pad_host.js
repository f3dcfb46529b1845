/** The pad on an otherwise empty page: its host writes down what it hears. */

import { createModel } from "../../assets/explorer/model.js";
import { createPad } from "../../assets/explorer/pad/pad.js";
import { createWords, el } from "../../assets/shared/dom.js";
import { readTheme } from "../../assets/shared/theme.js";

/** @param {{models: any[], text: any}} payload @param {HTMLElement} parent */
function mountPad({ models, text }, parent) {
  const root = el("div", "lx-root");
  parent.append(root);
  const host = {
    words: createWords(text),
    models: models.map(createModel),
    theme: readTheme(root),
    inputs: 0,
    settlings: 0,
    /** @type {number[]} milliseconds of each event of a pointer on the pad */
    moves: [],
    input: () => void host.inputs++,
    settled: () => void host.settlings++,
    replaced() {},
    asSeen: (/** @type {Float32Array} */ pixels) => pixels,
  };
  root.classList.toggle("lx-dark", host.theme.dark);
  const pad = createPad(host);
  root.append(pad.element);
  const canvas = /** @type {HTMLCanvasElement} */ (root.querySelector("[data-testid=pad]"));
  const move = canvas.onpointermove;
  canvas.onpointermove = (event) => {
    const start = performance.now();
    move?.call(canvas, event);
    host.moves.push(performance.now() - start);
  };
  return { host, pad };
}

export default mountPad;
