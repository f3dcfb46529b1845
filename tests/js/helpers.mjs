/** Shared by the tests: repeatable random numbers, comparison, and the operations in their plainest form. */

import assert from "node:assert/strict";

/** Uniform in [0, 1), the same sequence for the same seed (mulberry32). */
export function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function close(actual, expected, tolerance = 1e-5) {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `at ${i}: ${actual[i]} is not ${expected[i]}`);
}

export const base64 = (typed) => Buffer.from(typed.buffer, typed.byteOffset, typed.byteLength).toString("base64");

/** C × H × W → H × W × C. */
export function toPixels(planes, [c, h, w]) {
  const out = new Float32Array(planes.length);
  for (let i = 0; i < c; i++) for (let p = 0; p < h * w; p++) out[p * c + i] = planes[i * h * w + p];
  return out;
}

/** The definitions, in PyTorch's order, without a thought for speed. */
export function convolve(x, [ci, h, w], op, weight, bias) {
  const { kernel: k, stride: s, padding: p, out: co } = op;
  const oh = Math.floor((h + 2 * p - k) / s) + 1,
    ow = Math.floor((w + 2 * p - k) / s) + 1;
  const out = new Float32Array(co * oh * ow);
  for (let o = 0; o < co; o++)
    for (let y = 0; y < oh; y++)
      for (let z = 0; z < ow; z++) {
        let sum = bias[o];
        for (let i = 0; i < ci; i++)
          for (let ky = 0; ky < k; ky++)
            for (let kx = 0; kx < k; kx++) {
              const iy = y * s - p + ky,
                ix = z * s - p + kx;
              if (iy >= 0 && iy < h && ix >= 0 && ix < w)
                sum += x[(i * h + iy) * w + ix] * weight[((o * ci + i) * k + ky) * k + kx];
            }
        out[(o * oh + y) * ow + z] = sum;
      }
  return { data: out, shape: [co, oh, ow] };
}

export function convolveTransposed(x, [ci, h, w], op, weight, bias) {
  const {
    kernel: k,
    stride: s,
    padding: p,
    out: co,
    output_padding: [eh, ew],
  } = op;
  const oh = (h - 1) * s - 2 * p + k + eh,
    ow = (w - 1) * s - 2 * p + k + ew;
  const out = new Float32Array(co * oh * ow);
  for (let o = 0; o < co; o++) out.fill(bias[o], o * oh * ow, (o + 1) * oh * ow);
  for (let i = 0; i < ci; i++)
    for (let y = 0; y < h; y++)
      for (let z = 0; z < w; z++)
        for (let o = 0; o < co; o++)
          for (let ky = 0; ky < k; ky++)
            for (let kx = 0; kx < k; kx++) {
              const oy = y * s - p + ky,
                ox = z * s - p + kx;
              if (oy >= 0 && oy < oh && ox >= 0 && ox < ow)
                out[(o * oh + oy) * ow + ox] += x[(i * h + y) * w + z] * weight[((i * co + o) * k + ky) * k + kx];
            }
  return { data: out, shape: [co, oh, ow] };
}
