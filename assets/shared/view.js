/**
 * Pan and zoom the part of the plane that a map shows, and convert between plane and pixels. y points up in the plane.
 */

/** @typedef {{x: number, y: number, extent: number}} View the centre, and units across the square map */
/** @typedef {{left: number, right: number, bottom: number, top: number}} Bounds */

const NEAREST = 1e-3,
  FARTHEST = 1e4; // the largest extent

/**
 * @param {View} view
 * @param {number} side of the map in pixels
 * @param {number} x in the plane
 * @param {number} y
 */
export const toPixel = (view, side, x, y) => ({
  x: side / 2 + ((x - view.x) * side) / view.extent,
  y: side / 2 - ((y - view.y) * side) / view.extent,
});

/**
 * @param {View} view
 * @param {number} side
 * @param {number} px in pixels
 * @param {number} py
 */
export const toPlane = (view, side, px, py) => ({
  x: view.x + ((px - side / 2) * view.extent) / side,
  y: view.y - ((py - side / 2) * view.extent) / side,
});

/**
 * Return the view that holds the bounds, with a margin.
 * @param {Bounds} bounds
 * @returns {View}
 */
export const fit = ({ left, right, bottom, top }) => ({
  x: (left + right) / 2,
  y: (bottom + top) / 2,
  extent: Math.max(right - left, top - bottom, 0.01) * 1.06,
});

/**
 * Zoom about a pixel, which does not move.
 * @param {View} view
 * @param {number} side
 * @param {number} factor above 1 enlarges
 * @param {number} px
 * @param {number} py
 * @returns {View}
 */
export function zoom(view, side, factor, px, py) {
  const extent = Math.min(FARTHEST, Math.max(NEAREST, view.extent / factor));
  const fixed = toPlane(view, side, px, py);
  return { x: fixed.x - ((px - side / 2) * extent) / side, y: fixed.y + ((py - side / 2) * extent) / side, extent };
}

/**
 * @param {View} view
 * @param {number} side
 * @param {number} dx pixels
 * @param {number} dy pixels
 * @returns {View}
 */
export const pan = (view, side, dx, dy) => ({
  ...view,
  x: view.x - (dx * view.extent) / side,
  y: view.y + (dy * view.extent) / side,
});

/**
 * Return the bounds of most points: from the 0.5th to the 99.5th percentile, so that outliers do not shrink the rest.
 * @param {Float32Array} xs
 * @param {Float32Array} ys
 * @returns {Bounds}
 */
export function extentOf(xs, ys) {
  const range = (/** @type {Float32Array} */ values) => {
    const sorted = Float32Array.from(values).sort();
    const cut = Math.floor(sorted.length * 0.005);
    return [sorted[cut], sorted[sorted.length - 1 - cut]];
  };
  const [left, right] = range(xs),
    [bottom, top] = range(ys);
  return { left, right, bottom, top };
}

/** @param {Bounds} a @param {Bounds} b @returns {Bounds} */
export const union = (a, b) => ({
  left: Math.min(a.left, b.left),
  right: Math.max(a.right, b.right),
  bottom: Math.min(a.bottom, b.bottom),
  top: Math.max(a.top, b.top),
});
