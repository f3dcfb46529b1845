/** Convert images between numbers and the bytes of a canvas. */

/**
 * Write an image as the bytes of a canvas. A grey image is dark on white (0 is white) in a light theme, and light on
 * black in a dark one; colours stay unchanged.
 * @param {ArrayLike<number>} values H × W × C in [0, 1]
 * @param {number} channels 1 or 3
 * @param {boolean} dark
 * @param {Uint8ClampedArray} rgba written, H × W × 4
 * @param {number} [from] the first index in `rgba`
 * @param {number} [rowBytes] bytes from one row of `rgba` to the next, with `width`, for a picture inside a larger one
 * @param {number} [width]
 */
export function paint(values, channels, dark, rgba, from = 0, rowBytes = 0, width = 0) {
  const pixels = values.length / channels;
  const skip = rowBytes ? rowBytes - 4 * width : 0;
  let q = from;
  for (let p = 0; p < pixels; p++) {
    if (channels === 3) {
      rgba[q] = 255 * values[3 * p];
      rgba[q + 1] = 255 * values[3 * p + 1];
      rgba[q + 2] = 255 * values[3 * p + 2];
    } else {
      const grey = dark ? 255 * values[p] : 255 - 255 * values[p];
      rgba[q] = rgba[q + 1] = rgba[q + 2] = grey;
    }
    rgba[q + 3] = 255;
    q += 4;
    if (skip && (p + 1) % width === 0) q += skip;
  }
}

/**
 * Convert an image of bytes in PyTorch's order (C × H × W) to H × W × C in [0, 1].
 * @param {Uint8Array} planes
 * @param {number[]} shape [C, H, W]
 */
export function toPixels(planes, [c, h, w]) {
  const pixels = new Float32Array(planes.length);
  for (let i = 0; i < c; i++) for (let p = 0; p < h * w; p++) pixels[p * c + i] = planes[i * h * w + p] / 255;
  return pixels;
}
