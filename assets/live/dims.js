/** The KL of every latent dimension: which ones carry something, and which the prior has taken. */

import { el, number } from "../shared/dom.js";
import { ticks } from "../shared/view.js";
import { digitsFor } from "./scale.js";

const LEFT = 46,
  RIGHT = 10,
  TOP = 8,
  BOTTOM = 22;
const MOST = 64; // bars that can be told apart

/** @param {import("../shared/dom.js").Words} words */
export function createDims(words) {
  const canvas = el("canvas", "lv-canvas", [], { role: "img" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const title = words.put(el("span", "lv-panel-title"), "curves.dims");
  const values = el("span", "lv-values");
  const none = words.put(el("p", "lv-none"), "curves.none");
  const element = el("figure", "lv-panel", [el("figcaption", "lv-caption", [title, values]), canvas, none]);
  let width = 0,
    height = 0,
    ratio = 1;
  /** @type {number[] | null} */
  let kl = null;
  let without = false; // whether the model has no KL at all, rather than none yet
  /** @type {import("../shared/theme.js").Theme | null} */
  let theme = null;

  new ResizeObserver(() => {
    [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, Math.min(window.devicePixelRatio || 1, 2)];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    draw();
  }).observe(canvas);

  function draw() {
    if (!width || !theme) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    none.hidden = !without;
    values.textContent = "";
    if (!kl) return;
    const bars = kl.slice(0, MOST),
      top = Math.max(0.1, ...bars) * 1.08;
    const room = width - LEFT - RIGHT,
      column = room / bars.length;
    const py = (/** @type {number} */ v) => height - BOTTOM - (Math.max(0, v) / top) * (height - TOP - BOTTOM);
    const { accent, font, text } = theme;
    context.font = `11px ${font}`;
    context.fillStyle = text;
    const rows = ticks(0, top, Math.max(2, height / 45));
    for (const value of rows) {
      context.globalAlpha = 0.1;
      context.fillRect(LEFT, Math.round(py(value)), room, 1);
      context.globalAlpha = 0.75;
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(number(value, digitsFor(rows)), LEFT - 6, py(value));
    }
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    const every = Math.ceil(bars.length / Math.max(1, room / 26));
    bars.forEach((value, i) => {
      context.globalAlpha = 1;
      context.fillStyle = accent;
      context.fillRect(LEFT + column * (i + 0.14), py(value), column * 0.72, Math.max(1, height - BOTTOM - py(value)));
      context.globalAlpha = 0.75;
      context.fillStyle = text;
      if (i % every === 0) context.fillText(String(i + 1), LEFT + column * (i + 0.5), height - 6);
    });
    context.globalAlpha = 1;
    const active = kl.filter((value) => value > 0.01).length;
    values.textContent = words.say("curves.active", { active, all: kl.length });
    canvas.setAttribute(
      "aria-label",
      `${title.textContent}: ${bars.map((value, i) => `${i + 1}: ${number(value)}`).join(", ")}`,
    );
  }

  return {
    element,
    /**
     * @param {number[] | null} values of the moment that is shown
     * @param {boolean} never whether the model has none
     * @param {import("../shared/theme.js").Theme} colours
     */
    update(values, never, colours) {
      if (values === kl && never === without && colours === theme && kl && values) return;
      [kl, without, theme] = [values, never, colours];
      draw();
    },
  };
}
