/** Decode the numbers of a payload: bytes, or base64 text, to typed arrays; half precision to single. */

import { PayloadError } from "./problem.js";

/**
 * @typedef {{dtype: "f16" | "f32" | "u8", shape: number[], data: string | Uint8Array}} TensorSpec
 * @typedef {{shape: number[], data: Float32Array}} Tensor
 */

const BYTES = { f16: 2, f32: 4, u8: 1 };

/**
 * @param {string} text
 * @returns {Uint8Array}
 */
export function bytesFromBase64(text) {
  if ("fromBase64" in Uint8Array) return /** @type {any} */ (Uint8Array).fromBase64(text); // several times faster
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/**
 * Return the value of one IEEE 754 binary16 pattern.
 * @param {number} bits 0 … 65535
 */
export function halfToFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @type {Float32Array | null} every half-precision value, computed at the first use */
let halves = null;

/** @param {Uint16Array} patterns */
function floatsFromHalves(patterns) {
  if (!halves) halves = Float32Array.from({ length: 65536 }, (_, bits) => halfToFloat(bits));
  const table = halves;
  const values = new Float32Array(patterns.length);
  for (let i = 0; i < patterns.length; i++) values[i] = table[patterns[i]];
  return values;
}

/**
 * Return the bytes of a tensor, checked against its shape.
 * @param {TensorSpec} spec
 * @param {string} name of the tensor, for an error message
 */
function checkedBytes(spec, name) {
  const good =
    spec !== null &&
    typeof spec === "object" &&
    (typeof spec.data === "string" || spec.data instanceof Uint8Array) &&
    spec.dtype in BYTES &&
    Array.isArray(spec.shape) &&
    spec.shape.every((n) => Number.isInteger(n) && n >= 0);
  if (!good) throw new PayloadError("tensor", { name });
  let bytes;
  try {
    bytes = typeof spec.data === "string" ? bytesFromBase64(spec.data) : spec.data.slice(); // a slice is aligned
  } catch {
    throw new PayloadError("tensor", { name });
  }
  const expected = spec.shape.reduce((a, b) => a * b, BYTES[spec.dtype]);
  if (bytes.length !== expected) throw new PayloadError("size", { name, expected, got: bytes.length });
  return bytes;
}

/**
 * Decode a tensor of little-endian numbers, the order of every browser's machine.
 * @param {TensorSpec} spec
 * @param {string} name
 * @returns {Tensor}
 */
export function decodeTensor(spec, name) {
  const bytes = checkedBytes(spec, name);
  let data;
  if (spec.dtype === "f32") data = new Float32Array(bytes.buffer);
  else if (spec.dtype === "f16") data = floatsFromHalves(new Uint16Array(bytes.buffer));
  else data = Float32Array.from(bytes);
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) throw new PayloadError("notFinite", { name });
  }
  return { shape: spec.shape, data };
}

/**
 * Decode a tensor of bytes: images or labels.
 * @param {TensorSpec} spec
 * @param {string} name
 * @returns {{shape: number[], data: Uint8Array}}
 */
export function decodeBytes(spec, name) {
  const data = checkedBytes(spec, name);
  if (spec.dtype !== "u8") throw new PayloadError("tensor", { name });
  return { shape: spec.shape, data };
}
