/** Provide the margins of the live view's plots, and the axis of the values with its lines. */

import { number } from "../shared/dom.js";
import { digitsFor, ticks } from "../shared/scale.js";

/** The margins around a plot are in pixels. */
export const MARGIN = { left: 46, right: 10, top: 8, bottom: 22 };

/**
 * Draw faint lines at round values, with their numbers at the left; leave the font and the colour of text set.
 * @param {CanvasRenderingContext2D} context
 * @param {{width: number, height: number, theme: import("../shared/theme.js").Theme}} plot
 * @param {import("./scale.js").Range} values
 * @param {(value: number) => number} py returns the pixel of a value
 */
export function drawValueAxis(context, { width, height, theme }, values, py) {
  const { left, right } = MARGIN;
  const rows = ticks(values.from, values.to, Math.max(2, height / 45)),
    digits = digitsFor(rows);
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.text;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of rows) {
    context.globalAlpha = 0.1;
    context.fillRect(left, Math.round(py(value)), width - left - right, 1);
    context.globalAlpha = 0.75;
    context.fillText(number(value, digits), left - 6, py(value));
  }
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.globalAlpha = 0.75;
}
