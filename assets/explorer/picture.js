/** Draw images from numbers in [0, 1] on a canvas, and copy them to the clipboard or a file. */

import { contextOf } from "../shared/canvas.js";
import { paint } from "../shared/pixels.js";

/**
 * Create a canvas of the image's own resolution, which CSS enlarges.
 * @param {number[]} shape [C, H, W]
 * @param {HTMLCanvasElement} [canvas]
 */
export function createScreen([channels, height, width], canvas = document.createElement("canvas")) {
  canvas.width = width;
  canvas.height = height;
  canvas.className = "lx-screen";
  const context = contextOf(canvas);
  const image = context.createImageData(width, height);
  return {
    canvas,
    /** @param {ArrayLike<number>} values @param {boolean} dark */
    show(values, dark) {
      paint(values, channels, dark, image.data);
      context.putImageData(image, 0, 0);
    },
  };
}

/**
 * Draw the line between the given and the decoded part, as a layer over an image.
 * @param {Uint8Array} visible H × W
 * @param {number[]} shape [C, H, W]
 */
export function createSeam(visible, [, height, width]) {
  const canvas = document.createElement("canvas"),
    unit = Math.max(2, Math.round(560 / Math.max(width, height)));
  canvas.width = width * unit;
  canvas.height = height * unit;
  canvas.className = "lx-seam";
  const context = contextOf(canvas);
  context.beginPath();
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const here = visible[y * width + x];
      if (x > 0 && here !== visible[y * width + x - 1]) line(x, y, x, y + 1);
      if (y > 0 && here !== visible[(y - 1) * width + x]) line(x, y, x + 1, y);
    }
  context.lineWidth = 3;
  context.strokeStyle = "rgba(128, 128, 128, 0.75)";
  context.stroke();
  return canvas;

  /** @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 */
  function line(x0, y0, x1, y1) {
    context.moveTo(x0 * unit, y0 * unit);
    context.lineTo(x1 * unit, y1 * unit);
  }
}

/**
 * Show class probabilities as bars, for a decoder that predicts a label.
 * @param {string[]} classes
 */
export function createBars(classes) {
  const side = 280;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side * 2;
  canvas.className = "lx-screen";
  const context = contextOf(canvas);
  return {
    canvas,
    /** @param {ArrayLike<number>} values @param {boolean} _dark @param {import("../shared/theme.js").Theme} theme */
    show(values, _dark, theme) {
      const row = (2 * side - 24) / classes.length,
        left = 110,
        room = 2 * side - left - 90;
      context.fillStyle = theme.background;
      context.fillRect(0, 0, 2 * side, 2 * side);
      context.textBaseline = "middle";
      context.font = `${Math.min(26, row * 0.6)}px ${theme.font}`;
      classes.forEach((name, k) => {
        const y = 12 + k * row;
        context.fillStyle = theme.accent;
        context.fillRect(left, y + row * 0.18, Math.max(1, room * values[k]), row * 0.64);
        context.fillStyle = theme.text;
        context.textAlign = "right";
        context.fillText(name, left - 12, y + row / 2, left - 16);
        context.textAlign = "left";
        context.fillText(`${(100 * values[k]).toFixed(0)} %`, left + room * values[k] + 8, y + row / 2);
      });
    },
  };
}

/**
 * Return the image as on the screen, enlarged by a whole factor to about 560 pixels.
 * @param {HTMLCanvasElement} screen
 * @param {boolean} smooth
 * @returns {Promise<Blob>}
 */
export const toPng = (screen, smooth) =>
  sheetOf([[screen]], smooth, Math.max(1, Math.round(560 / Math.max(screen.width, screen.height))));

/**
 * Return images as one, the columns beside each other.
 * @param {HTMLCanvasElement[][]} columns of images of the same size
 * @param {boolean} smooth
 * @param {number} [factor] by which each is enlarged, by default to about 112 pixels
 * @returns {Promise<Blob>}
 */
export function sheetOf(columns, smooth, factor) {
  const [{ width, height }] = columns[0];
  const by = factor ?? Math.max(1, Math.round(112 / Math.max(width, height)));
  const large = document.createElement("canvas");
  large.width = columns.length * width * by;
  large.height = columns[0].length * height * by;
  const context = contextOf(large);
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "high";
  columns.forEach((column, x) =>
    column.forEach((image, y) => context.drawImage(image, x * width * by, y * height * by, width * by, height * by)),
  );
  return new Promise((done, failed) =>
    large.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"),
  );
}

/**
 * Copy an image. Pass on the unsettled promise, because some browsers accept a copy only directly after the click.
 * @param {Promise<Blob>} png
 */
export async function copyPicture(png) {
  await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
}

/** @param {Blob} png @param {string} name */
export function savePicture(png, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(png);
  link.download = `${name.replace(/[^\p{L}\p{N}._-]+/gu, "-") || "picture"}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
