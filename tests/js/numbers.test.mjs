import assert from "node:assert/strict";
import { test } from "node:test";
import { cumulative, normal, quantile } from "../../assets/explorer/gaussian.js";
import { cholesky } from "../../assets/explorer/prior.js";
import { bytesFromBase64, decodeBytes, decodeTensor, halfToFloat } from "../../assets/shared/tensor.js";
import { base64, close, seeded } from "./helpers.mjs";

test("half precision, by its definition", () => {
  const values = {
    0x0000: 0,
    0x3c00: 1,
    0xc000: -2,
    0x3555: 0.333251953125,
    0x7bff: 65504,
    0x0001: 2 ** -24,
    0x03ff: 1023 * 2 ** -24,
    0x0400: 2 ** -14,
    0x7c00: Infinity,
    0xfc00: -Infinity,
  };
  for (const [bits, value] of Object.entries(values)) assert.equal(halfToFloat(Number(bits)), value);
  assert.ok(Object.is(halfToFloat(0x8000), -0));
  assert.ok(Number.isNaN(halfToFloat(0x7c01)));
});

test("tensors from base64", () => {
  assert.deepEqual([...bytesFromBase64("AAH/")], [0, 1, 255]);
  const half = decodeTensor({ dtype: "f16", shape: [2], data: base64(Uint16Array.of(0x3c00, 0xc000)) }, "t");
  assert.deepEqual([...half.data], [1, -2]);
  const single = decodeTensor({ dtype: "f32", shape: [1, 2], data: base64(Float32Array.of(0.5, 3)) }, "t");
  assert.deepEqual([...single.data], [0.5, 3]);
  assert.deepEqual([...decodeBytes({ dtype: "u8", shape: [3], data: "AAH/" }, "t").data], [0, 1, 255]);
});

test("damaged tensors say what is wrong", () => {
  const code = (spec) => {
    try {
      decodeTensor(spec, "t");
    } catch (problem) {
      return problem.code;
    }
  };
  assert.equal(code(undefined), "tensor");
  assert.equal(code(null), "tensor");
  assert.equal(code({ dtype: "f64", shape: [1], data: "" }), "tensor");
  assert.equal(code({ dtype: "f32", shape: [1], data: "not base64!" }), "tensor");
  assert.equal(code({ dtype: "f32", shape: [-1], data: "" }), "tensor");
  assert.equal(code({ dtype: "f32", shape: [2], data: base64(Float32Array.of(1)) }), "size");
  assert.equal(code({ dtype: "f32", shape: [1], data: base64(Float32Array.of(NaN)) }), "notFinite");
  assert.equal(code({ dtype: "f16", shape: [1], data: base64(Uint16Array.of(0x7c00)) }), "notFinite");
});

test("normal quantiles", () => {
  // scipy.stats.norm.ppf
  const known = {
    0.5: 0,
    0.975: 1.959963984540054,
    0.99: 2.3263478740408408,
    0.001: -3.090232306167813,
    1e-9: -5.997807015007686,
  };
  for (const [p, z] of Object.entries(known)) assert.ok(Math.abs(quantile(Number(p)) - z) < 1e-6, p);
  for (let z = -6; z <= 5; z += 0.37) assert.ok(Math.abs(quantile(cumulative(z)) - z) < 1e-6, String(z));
  assert.equal(quantile(0), -Infinity);
  assert.equal(cumulative(40), 1);
  assert.ok(Number.isNaN(quantile(2)));
});

test("normal draws have mean 0 and variance 1", () => {
  const random = seeded(3);
  const draws = Array.from({ length: 20000 }, () => normal(random));
  const mean = draws.reduce((a, b) => a + b) / draws.length;
  const variance = draws.reduce((a, b) => a + b * b, 0) / draws.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.03);
});

test("Cholesky's factor", () => {
  const lower = cholesky([
    [4, 2],
    [2, 5],
  ]);
  assert.deepEqual(lower, [
    [2, 0],
    [1, 2],
  ]);
  assert.deepEqual(
    cholesky([
      [0, 0],
      [0, 0],
    ]),
    [
      [0, 0],
      [0, 0],
    ],
  );
});
