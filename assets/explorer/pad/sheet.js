/**
 * What lies on the pad: strokes on blank paper or on a picture, with their history; and what each model sees of it.
 * Nothing here draws on the screen.
 */

import { fitTo, isBlank, sample } from "./fit.js";
import { inkOf, onBlack } from "./levels.js";
import { createInk, layInk, SIDE } from "./strokes.js";

const PRECISION = 10_000; // the pad's side in the steps of a stroke's points, so that what is stored is what was drawn
const MOST_UNDONE = 100;

/**
 * @typedef {import("./strokes.js").Stroke} Stroke
 * @typedef {import("./strokes.js").Box} Box
 * @typedef {import("./fit.js").Raster} Raster
 * @typedef {"drawn" | "example" | "held-out" | "decoded" | "upload"} Source
 *   drawn: by the user, perhaps on one of the others. example: drawn for this project. decoded: drawn by a model
 *
 * @typedef {import("./upload.js").Picture & {file: boolean}} Base a picture under the strokes
 *   file: of the user, in its own lightness; else a picture of a data set, where grey is ink
 *
 * @typedef {{source: Source, label: string | null, strokes: readonly Stroke[], base: Base | null}} Content
 *   label: the name of the class, where it is known
 *
 * @typedef {{imageShape: number[], fit: import("./fit.js").Fit, classes: string[]}} Viewer what is asked of a model
 * @typedef {"ink" | "grey" | "rgb"} Kind
 *   ink: without the paper of a photograph. grey: a picture on black. rgb: on white paper, with strokes in black
 *
 * @typedef {{
 *   pixelsFor: (model: Viewer) => Float32Array, source: Source, label: string | null,
 *   labelFor: (model: Viewer) => number | null, blank: boolean, version: number,
 * }} Picture
 *   pixelsFor: H × W × C in [0, 1], the same array until the picture changes. label: the name of the class, where it is
 *   known; labelFor: its index among those of a model. version: another number after each change
 */

/** @type {Content} */
export const BLANK = { source: "drawn", label: null, strokes: [], base: null };

/** @param {Viewer} model @returns {Kind} what a model is given of a picture */
export const kindFor = ({ imageShape, fit }) => (imageShape[0] === 3 ? "rgb" : fit === "plain" ? "grey" : "ink");

/** @typedef {ReturnType<typeof createSheet>} Sheet */

/** @param {Content} [start] */
export function createSheet(start = BLANK) {
  const ink = createInk(SIDE);
  let content = start,
    version = 0;
  /** @type {Content[]} */
  const history = [];
  /** @type {WeakMap<Base, Map<Kind, Float32Array>>} bases in the pad's square, on paper */
  const unders = new WeakMap();
  /** @type {Map<Kind, Raster & {data: Float32Array}>} with the strokes */
  const rasters = new Map();
  /** @type {Map<string, Float32Array>} by rule and shape */
  const fitted = new Map();
  /** @type {boolean | null} */
  let blank = null;
  content.strokes.forEach(ink.add);

  /** Forget what was made of an earlier picture. */
  function changed() {
    version++;
    fitted.clear();
    blank = null;
  }

  /** @param {Content} next */
  function replace(next) {
    content = next;
    rasters.clear();
    ink.clear();
    content.strokes.forEach(ink.add);
    changed();
  }

  function remember() {
    history.push(content);
    if (history.length > MOST_UNDONE) history.shift();
  }

  /** Return a base as it lies on the pad, made once. @param {Base} base @param {Kind} kind */
  function prepare(base, kind) {
    const made = unders.get(base) ?? new Map();
    unders.set(base, made);
    const known = made.get(kind) ?? onSquare(base, kind);
    made.set(kind, known);
    return known;
  }

  /** Return the picture as it lies on the pad. @param {Kind} kind */
  function raster(kind) {
    let known = rasters.get(kind);
    if (!known) {
      const channels = kind === "rgb" ? 3 : 1;
      known = { width: SIDE, height: SIDE, channels, data: new Float32Array(SIDE * SIDE * channels) };
      compose(kind, known.data, { x: 0, y: 0, width: SIDE, height: SIDE });
      rasters.set(kind, known);
    }
    return known;
  }

  /** @param {Kind} kind @param {Float32Array} out @param {Box} box */
  function compose(kind, out, { x, y, width, height }) {
    const below = content.base && prepare(content.base, kind);
    const { low, high } = ink;
    if (kind !== "rgb" && !below && width === SIDE) return layInk(ink, below, out);
    for (let row = y; row < y + height; row++)
      for (let p = row * SIDE + x; p < row * SIDE + x + width; p++) {
        if (kind !== "rgb") out[p] = Math.min(high[p], Math.max(low[p], below ? below[p] : 0));
        else
          for (let c = 3 * p; c < 3 * p + 3; c++)
            out[c] = 1 - Math.min(high[p], Math.max(low[p], below ? 1 - below[c] : 0));
      }
  }

  /** @type {Picture} */
  const picture = {
    pixelsFor(model) {
      const { imageShape, fit } = model;
      const key = `${fit} ${imageShape}`;
      const known =
        fitted.get(key) ?? untouched(content, imageShape) ?? fitTo(raster(kindFor(model)), fit, imageShape).pixels;
      fitted.set(key, known);
      return known;
    },
    labelFor({ classes }) {
      const index = content.label === null ? -1 : classes.indexOf(content.label);
      return index < 0 ? null : index;
    },
    get source() {
      return content.source;
    },
    get label() {
      return content.label;
    },
    get blank() {
      return (blank ??= isBlank(raster(content.base?.channels === 3 && !content.base.file ? "rgb" : "ink")));
    },
    get version() {
      return version;
    },
  };

  return {
    picture,
    raster,
    prepare,
    get content() {
      return content;
    },
    get undoable() {
      return history.length > 0 || (content.source === "drawn" && content.strokes.length > 0);
    },
    /** Begin a stroke at its first point; return the pixels that changed. @param {Omit<Stroke, "points">} pen @param {number} x @param {number} y */
    begin(pen, x, y) {
      remember();
      content = { ...content, source: "drawn", label: null, strokes: [...content.strokes, { ...pen, points: [] }] };
      return this.extend(x, y);
    },
    /** Continue the last stroke; return the pixels that changed. @param {number} x 0 … 1 @param {number} y */
    extend(x, y) {
      const stroke = content.strokes[content.strokes.length - 1];
      stroke.points.push(Math.round(x * PRECISION) / PRECISION, Math.round(y * PRECISION) / PRECISION);
      const box = ink.extend(stroke);
      rasters.forEach(({ data }, kind) => compose(kind, data, box));
      changed();
      return box;
    },
    /** Put other content on the pad; it can be undone. @param {Content} next */
    put(next) {
      remember();
      replace(next);
    },
    undo() {
      const before = history.pop();
      if (before) replace(before);
      else if (this.undoable) replace({ ...content, strokes: content.strokes.slice(0, -1) });
    },
  };
}

/**
 * Return the pixels of a picture of a data set as they are, for a model of its shape; null for anything else.
 * @param {Content} content
 * @param {number[]} imageShape
 */
function untouched({ base, strokes }, [channels, height, width]) {
  if (!base || base.file || strokes.length) return null;
  if (base.channels !== channels || base.height !== height || base.width !== width) return null;
  return Float32Array.from(base.bytes, (byte) => byte / 255);
}

/**
 * Lay a picture in the middle of the pad's square, as large as it fits, each of its pixels an even area.
 * @param {Base} base
 * @param {Kind} kind
 */
function onSquare({ width, height, channels, bytes, file }, kind) {
  const grey = new Float32Array(width * height);
  for (let p = 0; p < grey.length; p++) {
    const at = p * channels;
    grey[p] =
      channels === 3 ? (0.2126 * bytes[at] + 0.7152 * bytes[at + 1] + 0.0722 * bytes[at + 2]) / 255 : bytes[at] / 255;
  }
  /** @type {ArrayLike<number>} */
  let data = grey;
  if (kind === "rgb")
    data = Float32Array.from({ length: 3 * grey.length }, (_, i) =>
      channels === 3 ? bytes[i] / 255 : 1 - grey[Math.floor(i / 3)],
    );
  else if (file || channels === 3) data = (kind === "ink" ? inkOf : onBlack)(grey, width, height);
  const step = Math.max(width, height) / SIDE;
  const raster = { width, height, channels: kind === "rgb" ? 3 : 1, data };
  const x = (width - step * SIDE) / 2,
    y = (height - step * SIDE) / 2;
  return sample(raster, x, y, step, step, SIDE, SIDE, kind === "rgb" ? 1 : 0);
}
