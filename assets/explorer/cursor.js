/** What moves on the map: the cursor, and the path between the points that were set. */

import { along, pointName } from "./path.js";
import { toPixel } from "./view.js";

/**
 * A ring that is seen on ink and on paper; at the edge, an arrow to where it lies outside.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x in the plane
 * @param {number} y
 * @param {import("./scenery.js").Look} look
 */
export function drawCursor(context, x, y, { view, side, theme }) {
  const spot = toPixel(view, side, x, y);
  const outside = spot.x < 0 || spot.y < 0 || spot.x > side || spot.y > side;
  const within = (/** @type {number} */ v) => (outside ? Math.min(side - 14, Math.max(14, v)) : v);
  context.save();
  context.translate(within(spot.x), within(spot.y));
  if (outside) {
    context.rotate(Math.atan2(spot.y - side / 2, spot.x - side / 2));
    context.beginPath();
    context.moveTo(10, 0);
    context.lineTo(-7, 7);
    context.lineTo(-3, 0);
    context.lineTo(-7, -7);
    context.closePath();
  } else {
    context.beginPath();
    context.arc(0, 0, 9, 0, 2 * Math.PI);
  }
  context.lineWidth = 6;
  context.strokeStyle = theme.dark ? "#000000" : "#ffffff";
  context.stroke();
  context.lineWidth = 2.5;
  context.strokeStyle = theme.accent;
  context.stroke();
  if (!outside) {
    context.beginPath();
    context.arc(0, 0, 2, 0, 2 * Math.PI);
    context.fillStyle = theme.text;
    context.fill();
  }
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[][]} path
 * @param {import("./plane.js").Plane} plane
 * @param {import("./path.js").Course} course
 * @param {import("./scenery.js").Look} look
 */
export function drawPath(context, path, plane, course, { view, side, theme }) {
  const pixel = (/** @type {number[]} */ z) => toPixel(view, side, plane.x(z), plane.flat ? 0 : plane.y(z));
  context.save();
  if (path.length > 1) {
    const steps = course === "spherical" ? 24 * (path.length - 1) : path.length - 1;
    context.beginPath();
    for (let i = 0; i <= steps; i++) {
      const { x, y } = pixel(along(path, i / steps, course));
      context.lineTo(x, y);
    }
    context.lineJoin = "round";
    context.lineWidth = 5;
    context.strokeStyle = theme.background;
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = theme.text;
    context.stroke();
  }
  context.font = `700 11px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  path.forEach((z, i) => {
    const { x, y } = pixel(z);
    context.beginPath();
    context.arc(x, y, 9, 0, 2 * Math.PI);
    context.fillStyle = theme.text;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = theme.background;
    context.stroke();
    context.fillStyle = theme.background;
    context.fillText(pointName(i), x, y + 0.5);
  });
  context.restore();
}
