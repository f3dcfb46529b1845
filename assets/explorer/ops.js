/**
 * Run a network's list of operations.
 *
 * The code is optimised for one image at each pointer move: it arranges weights once so that every inner loop reads
 * memory in order, allocates buffers once, and skips inputs that are zero (about half of them after a ReLU). Spatial
 * values are rows × columns × channels; a reshape to a vector restores PyTorch's order (channels first).
 */

import { PayloadError } from "../shared/problem.js";

/**
 * @typedef {{op: "linear", in: number, out: number}
 *   | {op: "conv2d", in: number, out: number, kernel: number, stride: number, padding: number}
 *   | {op: "conv_transpose2d", in: number, out: number, kernel: number, stride: number, padding: number,
 *      output_padding: [number, number]}
 *   | {op: "relu"} | {op: "tanh"} | {op: "reshape", shape: number[]}} Op
 * @typedef {import("../shared/tensor.js").Tensor} Tensor
 * @typedef {{shape: number[], data: Float32Array}} Values
 * @typedef {(kind: string, shape: number[]) => Float32Array} Parameter returns the checked "weight" or "bias" of an op
 * @typedef {{input: Float32Array, output: Float32Array, shape: number[], run: () => void}} Network
 *   `shape` is the output's in PyTorch's order, [n] or [C, H, W]; the numbers of a [C, H, W] have the order H × W × C.
 */

const size = (/** @type {number[]} */ shape) => shape.reduce((a, b) => a * b, 1);

/**
 * @param {Op[]} ops
 * @param {(name: string, shape: number[]) => Float32Array} weight returns a checked parameter, such as `0.weight`
 * @param {number[]} inputShape [n] or [C, H, W]
 * @returns {Network}
 */
export function compile(ops, weight, inputShape) {
  const input = new Float32Array(size(inputShape));
  /** @type {Values} */
  let here = { shape: inputShape, data: input };
  /** @type {(() => void)[]} */
  const steps = [];
  ops.forEach((op, i) => {
    const build = BUILDERS[op?.op];
    if (!build) throw new PayloadError("operation", { name: String(op?.op) });
    const next = build(op, here, (kind, shape) => weight(`${i}.${kind}`, shape));
    if (next.run) steps.push(next.run);
    here = next;
  });
  const run = () => {
    for (let i = 0; i < steps.length; i++) steps[i]();
  };
  return { input, output: here.data, shape: here.shape, run };
}

/** @type {Record<string, (op: any, from: Values, weight: Parameter) => Values & {run?: () => void}>} */
const BUILDERS = { linear, conv2d, conv_transpose2d: convTranspose2d, relu, tanh, reshape };

/**
 * @param {boolean} good
 * @param {string} name of the operation
 */
function expect(good, name) {
  if (!good) throw new PayloadError("mismatch", { name });
}

/**
 * Compute `out[0 … n) += Σ_i x[i] · rows[i]` over the inputs that are not zero, eight rows at a time.
 * @param {Float32Array} x
 * @param {number} from the first of the inputs
 * @param {number} count how many inputs
 * @param {Float32Array} rows count × n
 * @param {Float32Array} out
 * @param {number} n
 * @param {Int32Array} active room for `count` indices
 */
function addRows(x, from, count, rows, out, n, active) {
  let found = 0;
  for (let i = 0; i < count; i++) if (x[from + i] !== 0) active[found++] = i;
  let k = 0;
  for (; k + 7 < found; k += 8) {
    const i0 = active[k],
      i1 = active[k + 1],
      i2 = active[k + 2],
      i3 = active[k + 3];
    const i4 = active[k + 4],
      i5 = active[k + 5],
      i6 = active[k + 6],
      i7 = active[k + 7];
    const a0 = x[from + i0],
      a1 = x[from + i1],
      a2 = x[from + i2],
      a3 = x[from + i3];
    const a4 = x[from + i4],
      a5 = x[from + i5],
      a6 = x[from + i6],
      a7 = x[from + i7];
    const p0 = i0 * n,
      p1 = i1 * n,
      p2 = i2 * n,
      p3 = i3 * n,
      p4 = i4 * n,
      p5 = i5 * n,
      p6 = i6 * n,
      p7 = i7 * n;
    for (let j = 0; j < n; j++)
      out[j] +=
        a0 * rows[p0 + j] +
        a1 * rows[p1 + j] +
        a2 * rows[p2 + j] +
        a3 * rows[p3 + j] +
        (a4 * rows[p4 + j] + a5 * rows[p5 + j] + a6 * rows[p6 + j] + a7 * rows[p7 + j]);
  }
  for (; k + 1 < found; k += 2) {
    const a = x[from + active[k]],
      b = x[from + active[k + 1]],
      p = active[k] * n,
      q = active[k + 1] * n;
    for (let j = 0; j < n; j++) out[j] += a * rows[p + j] + b * rows[q + j];
  }
  for (; k < found; k++) {
    const a = x[from + active[k]],
      p = active[k] * n;
    for (let j = 0; j < n; j++) out[j] += a * rows[p + j];
  }
}

/** @param {any} op @param {Values} from @param {Parameter} weight */
function linear(op, from, weight) {
  expect(from.shape.length === 1 && from.shape[0] === op.in, "linear");
  const w = weight("weight", [op.out, op.in]),
    bias = weight("bias", [op.out]);
  const rows = new Float32Array(w.length); // in × out
  for (let o = 0; o < op.out; o++) for (let i = 0; i < op.in; i++) rows[i * op.out + o] = w[o * op.in + i];
  const data = new Float32Array(op.out),
    active = new Int32Array(op.in),
    x = from.data;
  const run = () => {
    data.set(bias);
    addRows(x, 0, op.in, rows, data, op.out, active);
  };
  return { shape: [op.out], data, run };
}

/** @param {any} op @param {Values} from @param {Parameter} weight */
function conv2d(op, from, weight) {
  const { kernel: k, stride, padding, in: ci, out: co } = op;
  const [c, h, w] = from.shape;
  expect(from.shape.length === 3 && c === ci && stride > 0, "conv2d");
  const oh = Math.floor((h + 2 * padding - k) / stride) + 1,
    ow = Math.floor((w + 2 * padding - k) / stride) + 1;
  expect(oh > 0 && ow > 0, "conv2d");
  const bias = weight("bias", [co]);
  const torch = weight("weight", [co, ci, k, k]);
  const rows = new Float32Array(torch.length); // (ky, kx, in) × out
  for (let o = 0; o < co; o++)
    for (let i = 0; i < ci; i++)
      for (let t = 0; t < k * k; t++) rows[(t * ci + i) * co + o] = torch[(o * ci + i) * k * k + t];
  const data = new Float32Array(oh * ow * co),
    patch = new Float32Array(k * k * ci),
    sum = new Float32Array(co);
  const active = new Int32Array(patch.length),
    x = from.data;
  const run = () => {
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++) {
        patch.fill(0);
        for (let ky = 0; ky < k; ky++) {
          const y = oy * stride - padding + ky;
          if (y < 0 || y >= h) continue;
          for (let kx = 0; kx < k; kx++) {
            const column = ox * stride - padding + kx;
            if (column < 0 || column >= w) continue;
            const start = (y * w + column) * ci,
              to = (ky * k + kx) * ci;
            for (let i = 0; i < ci; i++) patch[to + i] = x[start + i];
          }
        }
        sum.set(bias);
        addRows(patch, 0, patch.length, rows, sum, co, active);
        data.set(sum, (oy * ow + ox) * co);
      }
  };
  return { shape: [co, oh, ow], data, run };
}

/**
 * Add to the output the k × k patch of each input pixel's channels. A row of the patch, and its part of the output, are
 * each contiguous in memory.
 * @param {any} op @param {Values} from @param {Parameter} weight
 */
function convTranspose2d(op, from, weight) {
  const { kernel: k, stride, padding, in: ci, out: co } = op;
  const [extraH, extraW] = op.output_padding ?? [0, 0];
  const [c, h, w] = from.shape;
  expect(from.shape.length === 3 && c === ci && stride > 0, "conv_transpose2d");
  const oh = (h - 1) * stride - 2 * padding + k + extraH,
    ow = (w - 1) * stride - 2 * padding + k + extraW;
  expect(oh > 0 && ow > 0, "conv_transpose2d");
  const bias = weight("bias", [co]);
  const torch = weight("weight", [ci, co, k, k]);
  const rows = new Float32Array(torch.length); // in × (ky, kx, out)
  for (let i = 0; i < ci; i++)
    for (let o = 0; o < co; o++)
      for (let t = 0; t < k * k; t++) rows[(i * k * k + t) * co + o] = torch[(i * co + o) * k * k + t];
  const data = new Float32Array(oh * ow * co),
    patch = new Float32Array(k * k * co);
  const active = new Int32Array(ci),
    x = from.data;
  const run = () => {
    for (let p = 0; p < data.length; p += co) for (let o = 0; o < co; o++) data[p + o] = bias[o];
    for (let y = 0; y < h; y++)
      for (let column = 0; column < w; column++) {
        patch.fill(0);
        addRows(x, (y * w + column) * ci, ci, rows, patch, patch.length, active);
        const left = column * stride - padding;
        const first = Math.max(0, -left),
          last = Math.min(k, ow - left);
        for (let ky = 0; ky < k; ky++) {
          const oy = y * stride - padding + ky;
          if (oy < 0 || oy >= oh) continue;
          const start = (oy * ow + left) * co,
            row = ky * k * co;
          for (let t = first * co; t < last * co; t++) data[start + t] += patch[row + t];
        }
      }
  };
  return { shape: [co, oh, ow], data, run };
}

/** @param {any} _op @param {Values} from */
function relu(_op, from) {
  const x = from.data;
  const run = () => {
    for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] = 0;
  };
  return { ...from, run };
}

/** @param {any} _op @param {Values} from */
function tanh(_op, from) {
  const x = from.data;
  const run = () => {
    for (let i = 0; i < x.length; i++) x[i] = Math.tanh(x[i]);
  };
  return { ...from, run };
}

/** @param {any} op @param {Values} from */
function reshape(op, from) {
  const shape = op.shape;
  expect(Array.isArray(shape) && size(shape) === from.data.length, "reshape");
  const spatial = shape.length === 3,
    wasSpatial = from.shape.length === 3;
  if (spatial === wasSpatial) {
    expect(
      !spatial || shape.every((/** @type {number} */ n, /** @type {number} */ i) => n === from.shape[i]),
      "reshape",
    );
    return { shape, data: from.data };
  }
  const [c, h, w] = spatial ? shape : from.shape;
  const data = new Float32Array(from.data.length),
    x = from.data;
  const toPixels = () => {
    for (let i = 0; i < c; i++) for (let p = 0; p < h * w; p++) data[p * c + i] = x[i * h * w + p];
  };
  const toPlanes = () => {
    for (let i = 0; i < c; i++) for (let p = 0; p < h * w; p++) data[i * h * w + p] = x[p * c + i];
  };
  return { shape, data, run: spatial ? toPixels : toPlanes };
}
