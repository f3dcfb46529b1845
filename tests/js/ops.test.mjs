import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../../assets/explorer/ops.js";
import { PayloadError } from "../../assets/shared/problem.js";
import { close, convolve, convolveTransposed, seeded, toPixels } from "./helpers.mjs";

const random = seeded(1);
const numbers = (n) => Float32Array.from({ length: n }, () => random() * 2 - 1);

/** Weights by name, made when they are asked for. */
function drawer() {
  const made = {};
  const weight = (name, shape) => (made[name] ??= numbers(shape.reduce((a, b) => a * b, 1)));
  return { made, weight };
}

test("linear, by hand", () => {
  const weights = { "0.weight": [1, 2, 3, 4, 5, 6], "0.bias": [10, 20] };
  const net = compile([{ op: "linear", in: 3, out: 2 }], (name) => Float32Array.from(weights[name]), [3]);
  net.input.set([1, 0, -1]);
  net.run();
  assert.deepEqual([...net.output], [1 - 3 + 10, 4 - 6 + 20]);
  assert.deepEqual(net.shape, [2]);
});

test("linear with any number of inputs that are not zero", () => {
  for (let n = 1; n <= 19; n++) {
    const { made, weight } = drawer();
    const net = compile([{ op: "linear", in: n, out: 5 }], weight, [n]);
    for (let zeros = 0; zeros <= n; zeros++) {
      net.input.set(numbers(n).map((v, i) => (i < zeros ? 0 : v)));
      net.run();
      const expected = [0, 1, 2, 3, 4].map((o) => {
        let sum = made["0.bias"][o];
        for (let i = 0; i < n; i++) sum += made["0.weight"][o * n + i] * net.input[i];
        return sum;
      });
      close(net.output, expected);
    }
  }
});

test("relu and tanh", () => {
  const net = compile([{ op: "relu" }, { op: "tanh" }], () => new Float32Array(), [4]);
  net.input.set([-2, 0, 0.5, 3]);
  net.run();
  close(net.output, [0, 0, Math.tanh(0.5), Math.tanh(3)]);
});

test("reshape keeps PyTorch's order both ways", () => {
  const planes = Float32Array.from({ length: 12 }, (_, i) => i);
  const there = compile([{ op: "reshape", shape: [3, 2, 2] }], () => new Float32Array(), [12]);
  there.input.set(planes);
  there.run();
  close(there.output, toPixels(planes, [3, 2, 2]), 0);
  const back = compile([{ op: "reshape", shape: [12] }], () => new Float32Array(), [3, 2, 2]);
  back.input.set(there.output);
  back.run();
  close(back.output, planes, 0);
});

for (const [h, w] of [
  [8, 8],
  [7, 9],
  [28, 28],
])
  for (const [ci, co] of [
    [1, 4],
    [3, 2],
    [4, 3],
  ]) {
    test(`conv2d ${ci}→${co} on ${h}×${w}`, () => {
      const op = { op: "conv2d", in: ci, out: co, kernel: 4, stride: 2, padding: 1 };
      const { made, weight } = drawer();
      const net = compile([op], weight, [ci, h, w]);
      const x = numbers(ci * h * w);
      net.input.set(toPixels(x, [ci, h, w]));
      net.run();
      const expected = convolve(x, [ci, h, w], op, made["0.weight"], made["0.bias"]);
      assert.deepEqual(net.shape, expected.shape);
      close(net.output, toPixels(expected.data, expected.shape), 1e-4);
    });
    for (const extra of [
      [0, 0],
      [0, 1],
      [1, 0],
    ])
      test(`conv_transpose2d ${ci}→${co} on ${h}×${w}, output padding ${extra}`, () => {
        const op = { op: "conv_transpose2d", in: ci, out: co, kernel: 4, stride: 2, padding: 1, output_padding: extra };
        const { made, weight } = drawer();
        const net = compile([op], weight, [ci, h, w]);
        const x = numbers(ci * h * w);
        net.input.set(toPixels(x, [ci, h, w]));
        net.run();
        const expected = convolveTransposed(x, [ci, h, w], op, made["0.weight"], made["0.bias"]);
        assert.deepEqual(net.shape, expected.shape);
        close(net.output, toPixels(expected.data, expected.shape), 1e-4);
      });
  }

test("a second run does not remember the first", () => {
  const ops = [
    { op: "linear", in: 2, out: 32 },
    { op: "relu" },
    { op: "reshape", shape: [2, 4, 4] },
    { op: "conv_transpose2d", in: 2, out: 1, kernel: 4, stride: 2, padding: 1, output_padding: [0, 0] },
  ];
  const net = compile(ops, drawer().weight, [2]);
  const run = (z) => (net.input.set(z), net.run(), net.output.slice());
  const first = run([0.3, -1]);
  run([-2, 0.7]);
  close(run([0.3, -1]), first, 0);
});

test("what does not fit is refused", () => {
  const nothing = () => new Float32Array();
  assert.throws(() => compile([{ op: "softmax" }], nothing, [2]), PayloadError);
  assert.throws(() => compile([null], nothing, [2]), PayloadError);
  assert.throws(() => compile([{ op: "linear", in: 3, out: 1 }], nothing, [2]), PayloadError);
  assert.throws(() => compile([{ op: "reshape", shape: [1, 2, 2] }], nothing, [5]), PayloadError);
  assert.throws(
    () => compile([{ op: "conv2d", in: 1, out: 1, kernel: 4, stride: 2, padding: 0 }], nothing, [1, 2, 2]),
    PayloadError,
  );
});
