/** Show the learning curves: three quantities over the same epochs, with one zoom and one cursor. */

import { contextOf, createSurface } from "../shared/canvas.js";
import { el, number } from "../shared/dom.js";
import { digitsFor, ticks } from "../shared/scale.js";
import { MARGIN, drawValueAxis } from "./plot.js";
import { epochsOf, lineOf, nearestIndex, valuesOf, zoomed } from "./scale.js";

/** @typedef {"reconstruction" | "kl" | "neg_elbo"} Quantity */
/** @type {Quantity[]} */
export const QUANTITIES = ["reconstruction", "kl", "neg_elbo"];

const { left: LEFT, right: RIGHT, top: TOP, bottom: BOTTOM } = MARGIN;
const STILL = 4; // the most pixels that a pointer moves in a click

/**
 * @typedef {import("./scale.js").Line} Line
 * @typedef {import("./scale.js").Range} Range
 * @typedef {{
 *   name: string, title: string, color: string, dash: number[], records: import("./store.js").LogRecord[],
 * }} Series
 * @typedef {{range: Range | null, cursor: number | null, pinned: boolean}} Look the user's settings
 */

/**
 * @param {import("../shared/dom.js").Words} words
 * @param {Look} look
 */
export function createCurves(words, look) {
  /** @type {Series[]} */
  let series = [];
  /** @type {import("../shared/theme.js").Theme | null} */
  let theme = null;
  /** @type {number | null} the epoch in replay */
  let marker = null;
  let drawn = ""; // identifies the content of the canvases

  const panels = QUANTITIES.map((quantity) => createPanel(quantity));
  const whole = () =>
    epochsOf(
      series.flatMap(({ records }) => [
        lineOf(records, "train", "reconstruction"),
        lineOf(records, "validation", "reconstruction"),
      ]),
    );
  const range = () => look.range ?? whole();

  function draw() {
    for (const panel of panels) panel.draw();
  }

  /** @param {Range | null} next */
  function show(next) {
    const all = whole();
    look.range = next && next.to - next.from < 0.999 * (all.to - all.from) ? next : null;
    draw();
  }

  /** @param {number} epoch */
  function point(epoch) {
    look.cursor = epoch;
    draw();
  }

  /** @param {Quantity} quantity */
  function createPanel(quantity) {
    const canvas = el("canvas", "lv-canvas", [], { role: "slider", tabindex: "0" });
    const context = contextOf(canvas);
    const values = el("span", "lv-values");
    const title = words.put(el("span", "lv-panel-title"), `curves.${quantity}`);
    const none = words.put(el("p", "lv-none"), "curves.none");
    const element = el("figure", "lv-panel", [
      el("figcaption", "lv-caption", [title, values]),
      canvas,
      quantity === "reconstruction" ? null : none,
    ]);
    words.label(canvas, `curves.${quantity}`);
    /** @type {{from: number, to: number} | null} pixels, while the user selects a range */
    let selection = null;

    const epochAt = (/** @type {number} */ px) => {
      const { from, to } = range(),
        { width } = surface;
      return from + ((Math.min(width - RIGHT, Math.max(LEFT, px)) - LEFT) / (width - LEFT - RIGHT)) * (to - from);
    };
    const at = (/** @type {PointerEvent | MouseEvent} */ event) => event.clientX - canvas.getBoundingClientRect().left;

    canvas.onpointerdown = (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      selection = { from: at(event), to: at(event) };
    };
    canvas.onpointermove = (event) => {
      if (selection) {
        selection.to = at(event);
        draw();
      } else if (!look.pinned) point(epochAt(at(event)));
    };
    canvas.onpointerup = () => {
      if (!selection) return;
      const [from, to] = [Math.min(selection.from, selection.to), Math.max(selection.from, selection.to)];
      selection = null;
      if (to - from > STILL) return show({ from: epochAt(from), to: epochAt(to) });
      look.pinned = !look.pinned;
      point(epochAt(to));
    };
    canvas.onpointercancel = () => (selection = null);
    canvas.onpointerleave = () => {
      if (look.pinned || selection) return;
      look.cursor = null;
      draw();
    };
    canvas.ondblclick = () => {
      look.pinned = false;
      show(null);
    };
    canvas.onkeydown = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { x } = lineOf(series[0]?.records ?? [], "train", "reconstruction");
      const current = look.cursor ?? x.at(-1) ?? 0,
        index = nearestIndex(x, current);
      if (event.key === "ArrowLeft" && index > 0) point(x[index - 1]);
      else if (event.key === "ArrowRight" && index >= 0 && index < x.length - 1) point(x[index + 1]);
      else if (event.key === "+" || event.key === "=") show(zoomed(range(), 1.5, current, whole()));
      else if (event.key === "-") show(zoomed(range(), 1 / 1.5, current, whole()));
      else if (event.key === "Home") show(null);
      else return;
      look.pinned = true;
      event.preventDefault();
    };
    const surface = createSurface(canvas, [canvas], () => panel.draw());
    const panel = {
      element,
      draw() {
        const { width, height } = surface;
        if (!width || !theme) return;
        const lines = series.map((s) => ({
          ...s,
          train: lineOf(s.records, "train", quantity),
          validation: lineOf(s.records, "validation", quantity),
        }));
        none.hidden = !lines.length || lines.some(({ train }) => train.x.length > 0) || !series[0].records.length;
        const epochs = range(),
          shown = valuesOf(
            lines.flatMap(({ train, validation }) => [train, validation]),
            epochs,
          );
        const px = (/** @type {number} */ x) =>
          LEFT + ((x - epochs.from) / (epochs.to - epochs.from)) * (width - LEFT - RIGHT);
        const py = (/** @type {number} */ y) =>
          height - BOTTOM - ((y - shown.from) / (shown.to - shown.from)) * (height - TOP - BOTTOM);
        surface.clear(context);
        drawAxes(context, { width, height, theme, epochs, shown, px, py });
        context.save();
        context.beginPath();
        context.rect(LEFT, TOP - 4, width - LEFT - RIGHT + 4, height - TOP - BOTTOM + 6);
        context.clip();
        for (const { color, dash, train, validation } of [...lines].reverse()) {
          const main = color === lines[0].color;
          drawLine(context, train, px, py, { color, dash: [], width: 1.2, alpha: main ? 0.6 : 0.4 });
          drawLine(context, validation, px, py, { color, dash, width: main ? 2.6 : 2, alpha: 1 });
          if (validation.x.length <= 40) drawDots(context, validation, px, py, color);
        }
        for (const [epoch, strong] of /** @type {[number | null, boolean][]} */ ([
          [marker, true],
          [look.cursor, false],
        ])) {
          if (epoch === null) continue;
          context.strokeStyle = theme.text;
          context.globalAlpha = strong ? 0.8 : 0.45;
          context.lineWidth = strong ? 1.5 : 1;
          context.setLineDash(strong ? [] : [3, 3]);
          context.beginPath();
          context.moveTo(px(epoch), TOP - 4);
          context.lineTo(px(epoch), height - BOTTOM);
          context.stroke();
        }
        if (selection) {
          context.globalAlpha = 0.16;
          context.fillStyle = theme.accent;
          context.fillRect(
            Math.min(selection.from, selection.to),
            TOP,
            Math.abs(selection.to - selection.from),
            height - TOP - BOTTOM,
          );
        }
        context.restore();
        say(lines);
      },
    };

    /** Write the values at the cursor, or the newest ones. @param {{train: Line, validation: Line}[]} lines */
    function say(lines) {
      const main = lines[0];
      const epoch = look.cursor ?? marker;
      const value = (/** @type {Line | undefined} */ line) => {
        if (!line?.x.length) return "–";
        // At the cursor, take the nearest value; in replay, the last one until that epoch.
        const known =
          look.cursor !== null
            ? nearestIndex(line.x, look.cursor)
            : line.x.findLastIndex((x) => marker === null || x <= marker + 1e-6);
        if (known < 0) return "–";
        const y = line.y[known];
        return number(y, Math.abs(y) < 10 ? 2 : 1);
      };
      values.textContent = words.say("curves.values", {
        train: value(main?.train),
        validation: value(main?.validation),
      });
      const { from, to } = range(),
        at = epoch ?? main?.train.x.at(-1) ?? to;
      for (const [name, value] of Object.entries({ valuemin: from, valuemax: to, valuenow: at }))
        canvas.setAttribute(`aria-${name}`, String(value));
      canvas.setAttribute(
        "aria-valuetext",
        words.say("curves.at", { epoch: number(at, 1), values: values.textContent ?? "" }),
      );
    }
    return panel;
  }

  return {
    element: el(
      "div",
      "lv-curves",
      panels.map(({ element }) => element),
    ),
    draw,
    /** @param {Series[]} next @param {number | null} replayed @param {import("../shared/theme.js").Theme} colours */
    update(next, replayed, colours) {
      const before = drawn;
      drawn = JSON.stringify([
        replayed,
        next.map(({ name, color, records }) => [name, color, records.length, records.at(-1)?.step]),
      ]);
      if (drawn === before && colours === theme) return;
      [series, marker, theme] = [next, replayed, colours];
      draw();
    },
  };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{
 *   width: number, height: number, theme: import("../shared/theme.js").Theme, epochs: Range, shown: Range,
 *   px: (x: number) => number, py: (y: number) => number,
 * }} plot
 */
function drawAxes(context, { width, height, theme, epochs, shown, px, py }) {
  drawValueAxis(context, { width, height, theme }, shown, py);
  const columns = ticks(epochs.from, epochs.to, Math.max(2, width / 70)),
    digits = digitsFor(columns);
  for (const x of columns) context.fillText(number(x, digits), px(x), height - 6);
  context.globalAlpha = 0.3;
  context.fillRect(LEFT, height - BOTTOM, width - LEFT - RIGHT, 1);
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Line} line
 * @param {(x: number) => number} px
 * @param {(y: number) => number} py
 * @param {{color: string, dash: number[], width: number, alpha: number}} style
 */
function drawLine(context, { x, y }, px, py, { color, dash, width, alpha }) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.globalAlpha = alpha;
  context.setLineDash(dash);
  context.lineJoin = "round";
  context.beginPath();
  for (let i = 0; i < x.length; i++) context.lineTo(px(x[i]), py(y[i]));
  if (x.length === 1) context.arc(px(x[0]), py(y[0]), width, 0, 2 * Math.PI);
  context.stroke();
  context.globalAlpha = 1;
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Line} line
 * @param {(x: number) => number} px
 * @param {(y: number) => number} py
 * @param {string} color
 */
function drawDots(context, { x, y }, px, py, color) {
  context.fillStyle = color;
  for (let i = 0; i < x.length; i++) {
    context.beginPath();
    context.arc(px(x[i]), py(y[i]), 3, 0, 2 * Math.PI);
    context.fill();
  }
}
