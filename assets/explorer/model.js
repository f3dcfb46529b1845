/**
 * One trained model: its decoder ready to run, its prior, its held-out codes. Made from a payload of cvae/export.py.
 */

import { PayloadError } from "./problem.js";
import { decodeBytes, decodeTensor } from "./tensor.js";
import { compile } from "./ops.js";

/**
 * A Gaussian over codes. `covariance` is d × d where it is full; else the variances are exp(logVar).
 * @typedef {{mean: number[], logVar: number[], covariance?: number[][]}} Gaussian
 *
 * @typedef {{kind: "standard" | "fitted" | "per-class" | "condition", overall: Gaussian, parts: Gaussian[]}} Prior
 *   `overall` spans the sliders and is drawn where there are no `parts`: one a class, or one a condition.
 *
 * @typedef {{count: number, points: Float32Array, labels: Uint8Array | null, split: string}} Codes
 * @typedef {{shape: number[], data: Uint8Array}} Pictures count × C × H × W
 * @typedef {{pictures: Pictures, visible: Uint8Array | null}} Conditions
 *   what cvae-predictive may be given: pictures, of which the pixels marked in `visible` (H × W) are shown to it and
 *   stay
 *
 * @typedef {{
 *   id: string, title: string, family: string, latentDim: number, imageShape: number[], classes: string[],
 *   sees: "z" | "z,label" | "z,condition", output: "image" | "label",
 *   prior: Prior, codes: Codes | null, thumbnails: Pictures | null, conditions: Conditions | null,
 *   decode: (z: ArrayLike<number>, label: ArrayLike<number>, condition: number) => Float32Array,
 * }} Model
 *   `decode` gives a picture, H × W × C in [0, 1], or class probabilities: always the same buffer, written anew.
 */

/**
 * @param {any} payload one of the payload's `models`
 * @returns {Model}
 */
export function createModel(payload) {
  const { id, title, family, latentDim, imageShape, classes, output } = payload;
  const sees = payload.decoderSees;
  const wellFormed =
    typeof title === "string" &&
    Number.isInteger(latentDim) &&
    latentDim > 0 &&
    Array.isArray(classes) &&
    Array.isArray(imageShape) &&
    imageShape.length === 3 &&
    ["z", "z,label", "z,condition"].includes(sees);
  if (!wellFormed) throw new PayloadError("model", { title: String(title ?? id) });

  const conditions = payload.conditions ? readConditions(payload.conditions, imageShape) : null;
  const model = {
    id: String(id),
    title,
    family,
    latentDim,
    imageShape,
    classes: classes.map(String),
    sees,
    output,
    conditions,
    prior: readPrior(payload.prior, latentDim),
    codes: payload.codes ? readCodes(payload.codes, latentDim) : null,
    thumbnails: payload.thumbnails ? decodeBytes(payload.thumbnails, "thumbnails") : null,
    decode: createDecoder(payload.decoder, {
      latentDim,
      imageShape,
      classes: classes.length,
      sees,
      output,
      conditions,
    }),
  };
  const { codes, thumbnails } = model;
  if (thumbnails && thumbnails.shape[0] !== codes?.count) throw new PayloadError("mismatch", { name: "thumbnails" });
  return model;
}

/**
 * @param {any} prior
 * @param {number} d
 * @returns {Prior}
 */
function readPrior(prior, d) {
  const numbers = (/** @type {any} */ v) => Array.isArray(v) && v.length === d && v.every(Number.isFinite);
  const good = (/** @type {any} */ g) => g && numbers(g.mean) && numbers(g.logVar);
  if (!good(prior?.overall) || !Array.isArray(prior.parts) || !prior.parts.every(good))
    throw new PayloadError("mismatch", { name: "prior" });
  return prior;
}

/**
 * @param {any} codes
 * @param {number} d
 * @returns {Codes}
 */
function readCodes(codes, d) {
  const points = decodeTensor(codes.points, "codes");
  const labels = codes.labels ? decodeBytes(codes.labels, "labels") : null;
  const [count, width] = points.shape;
  if (width !== d || (labels && labels.data.length !== count)) throw new PayloadError("mismatch", { name: "codes" });
  return { count, points: points.data, labels: labels?.data ?? null, split: String(codes.split ?? "") };
}

/**
 * @param {any} conditions
 * @param {number[]} imageShape
 * @returns {Conditions}
 */
function readConditions(conditions, imageShape) {
  const pictures = decodeBytes(conditions.pictures, "conditions");
  const visible = conditions.visible ? decodeBytes(conditions.visible, "visible") : null;
  const [, h, w] = imageShape;
  const fits = pictures.shape[0] > 0 && pictures.shape.slice(1).join() === imageShape.join();
  if (!fits || (visible && visible.shape.join() !== `${h},${w}`))
    throw new PayloadError("mismatch", { name: "conditions" });
  return { pictures, visible: visible?.data ?? null };
}

/**
 * sigmoid(head(concat(z, label or trunk(condition)))), or the softmax for a decoder of labels.
 * @param {any} decoder
 * @param {{latentDim: number, imageShape: number[], classes: number, sees: string, output: string,
 *          conditions: Conditions | null}} about
 */
function createDecoder(decoder, { latentDim, imageShape, classes, sees, output, conditions }) {
  if (!Array.isArray(decoder?.head) || !Array.isArray(decoder?.trunk)) throw new PayloadError("decoder");
  const weight = (/** @type {string} */ part) => (/** @type {string} */ name, /** @type {number[]} */ shape) => {
    const tensor = decodeTensor(decoder.weights?.[`${part}.${name}`], `${part}.${name}`);
    if (tensor.shape.join() !== shape.join()) throw new PayloadError("mismatch", { name: `${part}.${name}` });
    return tensor.data;
  };
  const givens = sees === "z,condition" ? conditionsSeen(decoder, weight("trunk"), imageShape, conditions) : [];
  const behind = sees === "z,label" ? classes : (givens[0]?.features.length ?? 0);
  const head = compile(decoder.head, weight("head"), [latentDim + behind]);
  const wanted = output === "label" ? [classes] : imageShape;
  if (head.shape.join() !== wanted.join()) throw new PayloadError("mismatch", { name: "decoder" });

  const { input, output: logits, run } = head;
  const result = new Float32Array(logits.length);
  const squash = output === "label" ? softmax : sigmoid;
  const visible = output === "image" ? conditions?.visible : null;
  return (
    /** @type {ArrayLike<number>} */ z,
    /** @type {ArrayLike<number>} */ label,
    /** @type {number} */ condition,
  ) => {
    const given = givens[condition];
    for (let i = 0; i < latentDim; i++) input[i] = z[i];
    const rest = sees === "z,label" ? label : given?.features;
    for (let i = 0; i < behind; i++) input[latentDim + i] = rest[i];
    run();
    squash(logits, result);
    if (visible) keepVisible(visible, given.pixels, result);
    return result;
  };
}

/**
 * What the decoder's trunk makes of every condition: it does not change while z is dragged.
 * @param {any} decoder
 * @param {(name: string, shape: number[]) => Float32Array} weight
 * @param {number[]} imageShape
 * @param {Conditions | null} conditions
 */
function conditionsSeen(decoder, weight, imageShape, conditions) {
  if (!conditions) throw new PayloadError("mismatch", { name: "conditions" });
  const trunk = compile(decoder.trunk, weight, imageShape);
  const { shape, data } = conditions.pictures;
  const each = trunk.input.length;
  return Array.from({ length: shape[0] }, (_, i) => {
    const pixels = toPixels(data.subarray(i * each, (i + 1) * each), imageShape);
    trunk.input.set(pixels);
    trunk.run();
    return { pixels, features: trunk.output.slice() };
  });
}

/**
 * The pixels that were given stay as they were given.
 * @param {Uint8Array} visible H × W
 * @param {Float32Array} given H × W × C
 * @param {Float32Array} out H × W × C
 */
function keepVisible(visible, given, out) {
  const channels = out.length / visible.length;
  for (let p = 0; p < visible.length; p++)
    if (visible[p]) for (let i = 0; i < channels; i++) out[p * channels + i] = given[p * channels + i];
}

/**
 * A picture of bytes in PyTorch's order (C × H × W) as H × W × C in [0, 1].
 * @param {Uint8Array} planes
 * @param {number[]} shape [C, H, W]
 */
export function toPixels(planes, [c, h, w]) {
  const pixels = new Float32Array(planes.length);
  for (let i = 0; i < c; i++) for (let p = 0; p < h * w; p++) pixels[p * c + i] = planes[i * h * w + p] / 255;
  return pixels;
}

/** @param {Float32Array} logits @param {Float32Array} out */
function sigmoid(logits, out) {
  for (let i = 0; i < logits.length; i++) out[i] = 1 / (1 + Math.exp(-logits[i]));
}

/** @param {Float32Array} logits @param {Float32Array} out */
function softmax(logits, out) {
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += out[i] = Math.exp(logits[i] - top);
  for (let i = 0; i < logits.length; i++) out[i] /= total;
}
