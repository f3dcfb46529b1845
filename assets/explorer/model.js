/**
 * One trained model: its networks ready to run, its prior, its held-out codes. Made from a payload of
 * cvae/browser/explorer.py.
 */

import { KINDS } from "./controls/index.js";
import { compile } from "./ops.js";
import { FITS } from "./pad/fit.js";
import { toPixels } from "../shared/pixels.js";
import { PayloadError } from "../shared/problem.js";
import { decodeBytes, decodeTensor } from "../shared/tensor.js";

/**
 * @typedef {import("../shared/plane.js").Gaussian} Gaussian
 * @typedef {import("./payload.d.ts").PriorPayload} Prior
 *   `overall` spans the sliders and the maps; where the prior is not learned, it is the prior.
 *
 * @typedef {{count: number, points: Float32Array, labels: Uint8Array | null, split: string}} Codes
 * @typedef {{shape: number[], data: Uint8Array}} Pictures count × C × H × W
 * @typedef {import("./controls/index.js").Condition} Condition
 * @typedef {import("./controls/index.js").Given} Given
 * @typedef {{mean: number[], logVar: number[] | null}} Posterior q(z|x, …); of an autoencoder the code alone
 *
 * @typedef {{
 *   id: string, title: string, family: string, latentDim: number, imageShape: number[], classes: string[],
 *   fit: import("./pad/fit.js").Fit, output: "image" | "label", conditions: Condition[], decoderSees: string[], visible: Uint8Array | null,
 *   prior: Prior, codes: Codes | null, thumbnails: Pictures | null,
 *   likelihood: import("./payload.d.ts").LikelihoodPayload | null,
 *   logits: (z: ArrayLike<number>, given: Given) => Float32Array,
 *   decode: (z: ArrayLike<number>, given: Given) => Float32Array, priorAt: (given: Given) => Gaussian,
 *   encode: ((pixels: Float32Array, vector: ArrayLike<number>) => Posterior) | null, judge: number | null,
 *   losses: number[] | null, binarized: boolean,
 * }} Model
 *   `judge`: its number among the judges. `conditions`: in the order of the given vector. `visible`: which pixels of a given picture stay (H × W).
 *   `encode` takes a picture, H × W × C in [0, 1], and the vector of its conditions, or of the label that is predicted.
 *   `logits` gives the decoder's answer before that, in the same order, and also always in the same buffer.
 *   `decode` gives a picture, H × W × C in [0, 1], or class probabilities: always the same buffer, written anew.
 */

/**
 * Return whether a picture can be put into a model: it can encode it, and draws it from its code and its conditions.
 * A model that completes a given picture draws from that one too.
 * @param {Model} model
 */
export const takesPictures = ({ encode, output, decoderSees }) =>
  encode !== null && output === "image" && !decoderSees.includes("image");

/**
 * @param {import("./payload.d.ts").ModelPayload} payload
 * @returns {Model}
 */
export function createModel(payload) {
  const { id, title, family, latentDim, imageShape, classes, fit, output } = payload;
  const wellFormed =
    typeof title === "string" &&
    Number.isInteger(latentDim) &&
    latentDim > 0 &&
    Array.isArray(classes) &&
    Array.isArray(imageShape) &&
    imageShape.length === 3 &&
    FITS.includes(fit) &&
    Array.isArray(payload.conditions);
  if (!wellFormed) throw new PayloadError("model", { title: String(title ?? id) });

  /** @type {Condition[]} */
  const conditions = payload.conditions.map((spec) => readCondition(spec, imageShape));
  const shown = conditions.find(({ pictures }) => pictures);
  const pictures = shown?.pictures ? each(shown.pictures, imageShape) : [];
  const width = conditions.reduce((sum, one) => sum + one.width, 0);
  const given = (/** @type {import("./ops.js").Network} */ trunk) => givenPictures(trunk, pictures);
  const network = (/** @type {keyof typeof payload.networks} */ role) =>
    createNetwork(role, payload.networks?.[role], { latentDim, width, imageShape, image: given });
  const prior = readPrior(payload.prior, latentDim);
  const decoder = network("decoder");
  const model = {
    id: String(id),
    title,
    family,
    latentDim,
    imageShape,
    classes: classes.map(String),
    fit,
    output,
    conditions,
    decoderSees: decoder.sees,
    visible: shown?.visible ?? null,
    prior,
    codes: payload.codes ? readCodes(payload.codes, latentDim) : null,
    thumbnails: payload.thumbnails ? decodeBytes(payload.thumbnails, "thumbnails") : null,
    likelihood: readLikelihood(payload.likelihood),
    logits: (/** @type {ArrayLike<number>} */ z, /** @type {Given} */ one) => decoder.run(z, one),
    decode: createDecoder(decoder, output === "label" ? [classes.length] : imageShape, shown?.visible, pictures),
    priorAt: prior.kind === "learned" ? createPrior(network("prior_net"), prior, latentDim) : () => prior.overall,
    judge: payload.judge ?? null,
    losses: Array.isArray(payload.losses) ? payload.losses.map(Number) : null,
    binarized: Boolean(payload.binarized),
    encode: payload.posterior ? createEncoder(payload, output === "label" ? classes.length : width) : null,
  };
  const { codes, thumbnails } = model;
  if (thumbnails && thumbnails.shape[0] !== codes?.count) throw new PayloadError("mismatch", { name: "thumbnails" });
  return model;
}

/**
 * @param {import("./payload.d.ts").ConditionPayload} spec
 * @param {number[]} imageShape
 * @returns {Condition}
 */
function readCondition(spec, imageShape) {
  if (typeof spec?.name !== "string" || !Object.hasOwn(KINDS, spec.kind))
    throw new PayloadError("mismatch", { name: "conditions" });
  return KINDS[spec.kind].read(spec, imageShape);
}

/** @param {import("./payload.d.ts").LikelihoodPayload | null} likelihood */
function readLikelihood(likelihood) {
  const good =
    likelihood === null ||
    likelihood?.kind === "bernoulli" ||
    (likelihood?.kind === "gaussian" && Number.isFinite(likelihood.logSigma));
  if (!good) throw new PayloadError("mismatch", { name: "likelihood" });
  return likelihood;
}

/**
 * @param {import("./payload.d.ts").PriorPayload} prior
 * @param {number} d
 * @returns {Prior}
 */
function readPrior(prior, d) {
  const numbers = (/** @type {any} */ v) => Array.isArray(v) && v.length === d && v.every(Number.isFinite);
  const good =
    ["standard", "fitted", "learned"].includes(prior?.kind) &&
    numbers(prior.overall?.mean) &&
    numbers(prior.overall.logVar) &&
    (prior.kind !== "learned" || Number.isFinite(prior.logVarBound));
  if (!good) throw new PayloadError("mismatch", { name: "prior" });
  return prior;
}

/**
 * @param {import("./payload.d.ts").CodesPayload} codes
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
 * A network of any role: head(concat(what it sees)), where of an image it sees trunk(image).
 * @param {string} role
 * @param {import("./payload.d.ts").NetworkPayload | undefined} spec
 * @param {{latentDim: number, width: number, imageShape: number[],
 *   image: (trunk: import("./ops.js").Network) => {width: number, values: (given: any) => ArrayLike<number>}}} about
 *   width: of the vector of the conditions. image: what is made of the image that is seen, by the trunk
 */
export function createNetwork(role, spec, { latentDim, width, imageShape, image }) {
  if (![spec?.sees, spec?.trunk, spec?.head].every(Array.isArray)) throw new PayloadError("network", { name: role });
  const { sees, trunk, head, weights } = /** @type {import("./payload.d.ts").NetworkPayload} */ (spec);
  const weight = (/** @type {string} */ part) => (/** @type {string} */ name, /** @type {number[]} */ shape) => {
    const full = `${role}.${part}.${name}`;
    const tensor = decodeTensor(weights?.[`${part}.${name}`], full);
    if (tensor.shape.join() !== shape.join()) throw new PayloadError("mismatch", { name: full });
    return tensor.data;
  };
  const features = sees.includes("image") ? image(compile(trunk, weight("trunk"), imageShape)) : null;
  /** @type {Record<string, {width: number, values: (z: ArrayLike<number>, given: any) => ArrayLike<number>}>} */
  const inputs = {
    z: { width: latentDim, values: (z) => z },
    image: { width: features?.width ?? NaN, values: (_, given) => features?.values(given) ?? [] },
    condition: { width, values: (_, given) => given.vector },
  };
  const seen = sees.flatMap((name) => (Object.hasOwn(inputs, name) ? inputs[name] : []));
  const total = seen.reduce((sum, { width }) => sum + width, 0);
  if (seen.length !== sees.length || !(total > 0)) throw new PayloadError("mismatch", { name: role });
  const { input, output, shape, run } = compile(head, weight("head"), [total]);
  return {
    role,
    sees: /** @type {string[]} */ (sees),
    shape,
    /** The output: always the same buffer. @param {ArrayLike<number>} z @param {any} given as `inputs` look at it */
    run(z, given) {
      let at = 0;
      for (const { width, values } of seen) {
        const numbers = values(z, given);
        for (let i = 0; i < width; i++) input[at + i] = numbers[i];
        at += width;
      }
      run();
      return output;
    },
  };
}

/** Return what the posteriors of models are given: the class as well, if each of them is. @param {Model[]} models */
export const seenBy = (models) => (models.every((one) => one.conditions.length && takesPictures(one)) ? "x, y" : "x");

/** Return whether a model has a prior; an autoencoder has a Gaussian fitted to its codes. @param {Model} model */
export const hasPrior = ({ prior }) => prior.kind !== "fitted";

/** @typedef {ReturnType<typeof createNetwork>} Network */

/**
 * What a trunk makes of every picture that may be given: it does not change while z is dragged.
 * @param {import("./ops.js").Network} trunk
 * @param {Float32Array[]} pictures
 */
function givenPictures(trunk, pictures) {
  const features = pictures.map((pixels) => {
    trunk.input.set(pixels);
    trunk.run();
    return trunk.output.slice();
  });
  return { width: features[0]?.length ?? NaN, values: (/** @type {Given} */ given) => features[given.image] };
}

/**
 * What a trunk makes of a picture that comes with the call.
 * @param {import("./ops.js").Network} trunk
 */
export function anyPicture(trunk) {
  return {
    width: trunk.output.length,
    values(/** @type {{pixels: Float32Array}} */ { pixels }) {
      trunk.input.set(pixels);
      trunk.run();
      return trunk.output;
    },
  };
}

/**
 * The encoder ends in the mean and a raw log-variance r, log σ² = B·tanh(r / B), or in the code of an autoencoder.
 * @param {import("./payload.d.ts").ModelPayload} payload
 * @param {number} width of the vector of the conditions
 */
function createEncoder({ networks, posterior, latentDim: d, imageShape }, width) {
  const { kind = "", logVarBound: bound = NaN } = posterior ?? {};
  const network = createNetwork("encoder", networks.encoder, { latentDim: d, width, imageShape, image: anyPicture });
  const good = kind === "point" || (kind === "gaussian" && Number.isFinite(bound));
  if (!good || network.shape.join() !== String(kind === "point" ? d : 2 * d))
    throw new PayloadError("mismatch", { name: "encoder" });
  return (/** @type {Float32Array} */ pixels, /** @type {ArrayLike<number>} */ vector) => {
    const numbers = Array.from(network.run([], { pixels, vector }));
    const raw = numbers.splice(d);
    return { mean: numbers, logVar: kind === "point" ? null : raw.map((r) => bound * Math.tanh(r / bound)) };
  };
}

/**
 * The sigmoid of the logits, or their softmax for a decoder of labels.
 * @param {Network} network
 * @param {number[]} shape of what it answers
 * @param {Uint8Array | null | undefined} visible
 * @param {Float32Array[]} pictures
 */
function createDecoder(network, shape, visible, pictures) {
  if (network.shape.join() !== shape.join()) throw new PayloadError("mismatch", { name: network.role });
  const squash = shape.length === 1 ? softmax : sigmoid;
  const result = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return (/** @type {ArrayLike<number>} */ z, /** @type {Given} */ given) => {
    squash(network.run(z, given), result);
    if (visible && shape.length > 1) keepVisible(visible, pictures[given.image], result);
    return result;
  };
}

/**
 * The network of the prior ends in the mean and a raw log-variance r; log σ² = B·tanh(r / B).
 * @param {Network} network
 * @param {Prior} prior
 * @param {number} d
 */
function createPrior(network, { logVarBound: bound = NaN }, d) {
  if (network.shape.join() !== String(2 * d)) throw new PayloadError("mismatch", { name: network.role });
  return (/** @type {Given} */ given) => {
    const numbers = Array.from(network.run([], given));
    return { mean: numbers.slice(0, d), logVar: numbers.slice(d).map((raw) => bound * Math.tanh(raw / bound)) };
  };
}

/**
 * Pictures one by one, as H × W × C in [0, 1].
 * @param {Pictures} pictures
 * @param {number[]} imageShape
 */
function each({ shape, data }, imageShape) {
  const size = data.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => toPixels(data.subarray(i * size, (i + 1) * size), imageShape));
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

/** @param {Float32Array} logits @param {Float32Array} out */
function sigmoid(logits, out) {
  for (let i = 0; i < logits.length; i++) out[i] = 1 / (1 + Math.exp(-logits[i]));
}

/** @param {Float32Array} logits @param {Float32Array} out */
export function softmax(logits, out) {
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += out[i] = Math.exp(logits[i] - top);
  for (let i = 0; i < logits.length; i++) out[i] /= total;
}
