/** Show the KL of every latent dimension: a dimension with a KL near 0 carries no information. */

import { contextOf, createSurface } from "../shared/canvas.js";
import { el, number } from "../shared/dom.js";
import { MARGIN, drawValueAxis } from "./plot.js";

const MOST = 64; // the most bars that a reader can distinguish

/** @param {import("../shared/dom.js").Words} words */
export function createDims(words) {
  const canvas = el("canvas", "lv-canvas", [], { role: "img" });
  const context = contextOf(canvas);
  const title = words.put(el("span", "lv-panel-title"), "curves.dims");
  const values = el("span", "lv-values");
  const none = words.put(el("p", "lv-none"), "curves.none");
  const element = el("figure", "lv-panel", [el("figcaption", "lv-caption", [title, values]), canvas, none]);
  const surface = createSurface(canvas, [canvas], () => draw());
  /** @type {number[] | null} */
  let kl = null;
  /** @type {number | null} */
  let active = null;
  let without = false; // whether the model has no KL at all, not only none yet
  /** @type {import("../shared/theme.js").Theme | null} */
  let theme = null;

  function draw() {
    const { width, height } = surface;
    const { left, right, top, bottom } = MARGIN;
    if (!width || !theme) return;
    surface.clear(context);
    none.hidden = !without;
    values.textContent = "";
    if (!kl) return;
    const bars = kl.slice(0, MOST),
      most = Math.max(0.1, ...bars) * 1.08;
    const room = width - left - right,
      column = room / bars.length;
    const py = (/** @type {number} */ v) => height - bottom - (Math.max(0, v) / most) * (height - top - bottom);
    const { accent, text } = theme;
    drawValueAxis(context, { width, height, theme }, { from: 0, to: most }, py);
    const every = Math.ceil(bars.length / Math.max(1, room / 26));
    bars.forEach((value, i) => {
      context.globalAlpha = 1;
      context.fillStyle = accent;
      context.fillRect(left + column * (i + 0.14), py(value), column * 0.72, Math.max(1, height - bottom - py(value)));
      context.globalAlpha = 0.75;
      context.fillStyle = text;
      if (i % every === 0) context.fillText(String(i + 1), left + column * (i + 0.5), height - 6);
    });
    context.globalAlpha = 1;
    if (active !== null) values.textContent = words.say("curves.active", { active, all: kl.length });
    canvas.setAttribute(
      "aria-label",
      `${title.textContent}: ${bars.map((value, i) => `${i + 1}: ${number(value)}`).join(", ")}`,
    );
  }

  return {
    element,
    /**
     * @param {number[] | null} values of the shown moment
     * @param {number | null} units the number of active units of the shown codes
     * @param {boolean} never whether the model has no KL at all
     * @param {import("../shared/theme.js").Theme} colours
     */
    update(values, units, never, colours) {
      if (values === kl && units === active && never === without && colours === theme && kl) return;
      [kl, active, without, theme] = [values, units, never, colours];
      draw();
    },
  };
}
