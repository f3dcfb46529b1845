/**
 * Turn strokes into ink on a square raster: 1 is ink, 0 is paper. A pen raises the ink to the share of each pixel that
 * it covers, an eraser lowers it to the share that it leaves. So each pixel holds a clamp between two layers, `low` and
 * `high`: the same strokes can lie on blank paper or on any picture, and a new segment touches only its own pixels.
 */

export const SIDE = 280; // pixels of the raster: a multiple of 8 and of 28, the sides of the digits and of MNIST
export const PEN = 0.09; // width of the pen, in sides of the pad
export const ERASER = 0.13;

/**
 * `points` are x0, y0, x1, y1, … in the unit square, with y downward; `width` is in sides of the square.
 * @typedef {{points: number[], width: number, erase: boolean}} Stroke
 * @typedef {{x: number, y: number, width: number, height: number}} Box in pixels
 * @typedef {ReturnType<typeof createInk>} Ink
 */

/** @param {number} [side] of the raster, in pixels */
export function createInk(side = SIDE) {
  const low = new Float32Array(side * side),
    high = new Float32Array(side * side).fill(1);
  const ink = {
    side,
    low,
    high,
    clear() {
      low.fill(0);
      high.fill(1);
    },
    /**
     * Add the last segment of a stroke, or its first point; return the pixels that may have changed.
     * @param {Stroke} stroke
     * @returns {Box}
     */
    extend({ points, width, erase }) {
      const last = points.length - 2,
        before = Math.max(0, last - 2);
      return segment(points[before], points[before + 1], points[last], points[last + 1], width / 2, erase);
    },
    /** Add a whole stroke. @param {Stroke} stroke */
    add({ points, width, erase }) {
      if (points.length === 2) segment(points[0], points[1], points[0], points[1], width / 2, erase);
      for (let i = 2; i < points.length; i += 2)
        segment(points[i - 2], points[i - 1], points[i], points[i + 1], width / 2, erase);
    },
  };
  return ink;

  /**
   * Cover the pixels around a segment. At the edge, a pixel is covered in the measure of its distance from the edge.
   * @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @param {number} radius
   * @param {boolean} erase
   * @returns {Box}
   */
  function segment(x0, y0, x1, y1, radius, erase) {
    const ax = x0 * side - 0.5,
      ay = y0 * side - 0.5; // pixel centres have whole numbers
    const dx = (x1 - x0) * side,
      dy = (y1 - y0) * side,
      length = dx * dx + dy * dy;
    const r = radius * side,
      reach = r + 0.5;
    const left = Math.max(0, Math.ceil(Math.min(ax, ax + dx) - reach)),
      right = Math.min(side - 1, Math.floor(Math.max(ax, ax + dx) + reach)),
      top = Math.max(0, Math.ceil(Math.min(ay, ay + dy) - reach)),
      bottom = Math.min(side - 1, Math.floor(Math.max(ay, ay + dy) + reach));
    for (let y = top; y <= bottom; y++)
      for (let x = left; x <= right; x++) {
        const px = x - ax,
          py = y - ay;
        const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
        const ex = px - along * dx,
          ey = py - along * dy;
        const square = ex * ex + ey * ey;
        if (square >= reach * reach) continue;
        const cover = Math.min(1, reach - Math.sqrt(square)),
          at = y * side + x;
        if (erase) {
          const rest = 1 - cover;
          if (low[at] > rest) low[at] = rest;
          if (high[at] > rest) high[at] = rest;
        } else {
          if (low[at] < cover) low[at] = cover;
          if (high[at] < cover) high[at] = cover;
        }
      }
    return { x: left, y: top, width: Math.max(0, right - left + 1), height: Math.max(0, bottom - top + 1) };
  }
}

/**
 * Lay ink on a picture: write the picture with the strokes on it, or blank paper with them.
 * @param {Ink} ink
 * @param {Float32Array | null} under the picture under the strokes, ink = 1, side × side
 * @param {Float32Array} out side × side
 */
export function layInk({ low, high }, under, out) {
  if (!under) return out.set(low);
  for (let i = 0; i < out.length; i++) out[i] = Math.min(high[i], Math.max(low[i], under[i]));
}
