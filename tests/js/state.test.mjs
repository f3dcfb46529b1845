import assert from "node:assert/strict";
import { test } from "node:test";
import { mainLabel, mixture, oneHot } from "../../assets/explorer/blend.js";
import { createWords, number } from "../../assets/shared/dom.js";
import { createModel } from "../../assets/explorer/model.js";
import { paint } from "../../assets/shared/pixels.js";
import { carried } from "../../assets/explorer/coupling.js";
import { carryCode, fromNoise, noiseOf, outside, priorAt, priorLines } from "../../assets/explorer/prior.js";
import { givenOf, givenOfLabel, initialState, merge } from "../../assets/explorer/state.js";
import { base64, close } from "./helpers.mjs";

const label = { name: "label", kind: "class", width: 3, values: ["a", "b", "c"] };
const image = {
  name: "image",
  kind: "image",
  width: 0,
  pictures: { shape: [2, 1, 1, 1], data: Uint8Array.of(0, 255) },
};
const extent = { latentDim: 2, conditions: [label, image], models: 2 };

test("a state from Python is taken over where it fits", () => {
  const state = initialState(extent);
  const next = merge(
    state,
    {
      z: [1, 2],
      lead: 1,
      coupling: "sigma",
      conditions: { label: { weights: [0, 0.5, 0.5], mixing: true }, image: 1, other: 5 },
      path: [
        [0, 0],
        [1, 1],
      ],
      progress: 7,
    },
    extent,
  );
  const conditions = { label: { weights: [0, 0.5, 0.5], mixing: true }, image: 1 };
  assert.deepEqual(next, {
    z: [1, 2],
    lead: 1,
    coupling: "sigma",
    told: conditions,
    conditions,
    path: [
      [0, 0],
      [1, 1],
    ],
    progress: 1,
  });
});

test("what does not fit is left as it was", () => {
  const state = initialState(extent);
  for (const change of [
    null,
    5,
    "x",
    { z: [1] },
    { z: [1, NaN] },
    { conditions: { label: { weights: [1, -1, 0] } } },
    { conditions: { label: { weights: [1e308, 1e308, 0] } } },
    { conditions: { label: { weights: [1], mixing: "yes" } } },
    { conditions: { label: 3, image: 2 } },
    { conditions: { image: -1 } },
    { conditions: { image: 0.5 } },
    { conditions: 5 },
    { path: [[1]] },
    { path: {} },
    { lead: 2 },
    { lead: -1 },
    { lead: 0.5 },
    { coupling: "all" },
  ])
    assert.deepEqual(merge(state, change, extent), state);
});

test("without a code, the state's code stays one of the conditions before", () => {
  const state = initialState(extent);
  const next = merge(state, { conditions: { label: { weights: [0, 1, 0] } } }, extent);
  assert.deepEqual([next.told, next.conditions.label.weights], [state.told, [0, 1, 0]]);
});

test("label weights", () => {
  assert.deepEqual(mixture([1, 3, 0]), [0.25, 0.75, 0]);
  assert.deepEqual(mixture([0, 0]), [0.5, 0.5]);
  assert.deepEqual(oneHot(1, 3), [0, 1, 0]);
  assert.equal(mainLabel([0.2, 0.9, 0.1]), 1);
});

test("what networks are given: the vectors of all conditions side by side, and which picture", () => {
  const more = { ...label, name: "more", width: 2, values: ["x", "y"] };
  const values = { label: { weights: [0, 1, 1], mixing: true }, image: 1, more: { weights: [0, 1], mixing: false } };
  assert.deepEqual(givenOf({ conditions: [label, image, more] }, values), {
    vector: Float32Array.of(0, 0.5, 0.5, 0, 1),
    image: 1,
  });
  assert.deepEqual(givenOf({ conditions: [] }, values), { vector: new Float32Array(0), image: 0 });
  assert.deepEqual(givenOfLabel({ conditions: [label] }, 2)?.vector, Float32Array.of(0, 0, 1));
  assert.equal(givenOfLabel({ conditions: [label] }, -1), null);
  assert.equal(givenOfLabel({ conditions: [label, image] }, 2), null);
});

test("words: gaps are filled, unknown keys are seen, a new language reaches every place", () => {
  const fake = () => ({
    attributes: {},
    setAttribute(name, value) {
      this.attributes[name] = value;
    },
  });
  const words = createWords({ a: { b: "at {x} and {y}" }, c: "hello" });
  assert.equal(words.say("a.b", { x: 1 }), "at 1 and {y}");
  assert.equal(words.say("a.none"), "a.none");
  const element = words.label(words.put(fake(), "c"), "a.b", { x: "<b>", y: 2 });
  assert.equal(element.textContent, "hello");
  words.change({ a: { b: "在 {x}、{y}" }, c: "你好" });
  assert.equal(element.textContent, "你好");
  assert.equal(element.attributes["aria-label"], "在 <b>、2");
});

test("numbers as they are read", () => {
  assert.equal(number(-1.239), "−1.24");
  assert.equal(number(-0.001), "0.00");
});

test("ink on paper in a light theme, light on black in a dark one, colours as they are", () => {
  const rgba = new Uint8ClampedArray(8);
  paint([0, 1], 1, false, rgba);
  assert.deepEqual([...rgba], [255, 255, 255, 255, 0, 0, 0, 255]);
  paint([0, 0.2], 1, true, rgba);
  assert.deepEqual([...rgba], [0, 0, 0, 255, 51, 51, 51, 255]);
  paint([0.2, 0.4, 0.6, 1, 0, 1], 3, false, rgba);
  assert.deepEqual([...rgba], [51, 102, 153, 255, 255, 0, 255, 255]);
});

const f32 = (shape, values) => ({ dtype: "f32", shape, data: base64(Float32Array.from(values)) });
const payload = () => ({
  id: "m",
  title: "M",
  family: "cvae",
  latentDim: 1,
  imageShape: [1, 1, 2],
  classes: ["a", "b"],
  fit: "plain",
  output: "image",
  likelihood: { kind: "bernoulli" },
  posterior: null,
  judge: null,
  conditions: [{ name: "label", kind: "class", values: ["a", "b"] }],
  prior: { kind: "standard", overall: { mean: [0], logVar: [0] } },
  codes: null,
  thumbnails: null,
  networks: {
    decoder: {
      sees: ["z", "condition"],
      trunk: [],
      head: [
        { op: "linear", in: 3, out: 2 },
        { op: "reshape", shape: [1, 1, 2] },
      ],
      weights: { "head.0.weight": f32([2, 3], [1, 2, 3, 4, 5, 6]), "head.0.bias": f32([2], [0, -1]) },
    },
  },
});

/** The decoder sees z alone: the label reaches it by the prior, here of mean −1 or 3 and raw log σ² 0 or 2. */
const throughZ = () => {
  const model = payload();
  const { decoder } = model.networks;
  decoder.sees = ["z"];
  decoder.head[0].in = 1;
  decoder.weights["head.0.weight"] = f32([2, 1], [1, 4]);
  model.networks.prior_net = {
    sees: ["condition"],
    trunk: [],
    head: [{ op: "linear", in: 2, out: 2 }],
    weights: { "head.0.weight": f32([2, 2], [-1, 3, 0, 2]), "head.0.bias": f32([2], [0, 0]) },
  };
  model.prior = { ...model.prior, kind: "learned", logVarBound: 4 };
  return model;
};
const weights = (...weights) => ({ label: { weights, mixing: true } });
const given = (...numbers) => ({ vector: Float32Array.from(numbers), image: 0 });

test("a model decodes z with a label", () => {
  const logits = [1 * 0.5 + 2 * 0.25 + 3 * 0.75, 4 * 0.5 + 5 * 0.25 + 6 * 0.75 - 1];
  close(
    createModel(payload()).decode([0.5], given(0.25, 0.75)),
    logits.map((v) => 1 / (1 + Math.exp(-v))),
  );
});

test("what is joined stands in the order that the network sees it", () => {
  const model = payload();
  model.networks.decoder.sees = ["condition", "z"];
  const logits = [1 * 0.25 + 2 * 0.75 + 3 * 0.5, 4 * 0.25 + 5 * 0.75 + 6 * 0.5 - 1];
  close(
    createModel(model).decode([0.5], given(0.25, 0.75)),
    logits.map((v) => 1 / (1 + Math.exp(-v))),
  );
});

test("a model of labels answers with probabilities", () => {
  const model = payload();
  model.output = "label";
  model.networks.decoder.head.pop();
  const [a, b] = createModel(model).decode([0.5], given(1, 0));
  assert.ok(Math.abs(a + b - 1) < 1e-6 && b > a);
});

test("a learned prior is computed, of a blend too", () => {
  const model = createModel(throughZ());
  assert.deepEqual(priorAt(model, weights(1, 0)), { mean: [-1], logVar: [0] });
  const { mean, logVar } = priorAt(model, weights(0.5, 0.5));
  close([...mean, ...logVar], [1, 4 * Math.tanh(1 / 4)]);
  assert.equal(priorAt(createModel(payload()), weights(1, 0)).mean[0], 0);
});

test("another label moves z to the same noise under a learned prior, and nowhere else", () => {
  const learned = createModel(throughZ()),
    standard = createModel(payload());
  const sees = throughZ();
  sees.networks.decoder = payload().networks.decoder;
  const before = weights(1, 0); // ε = 1 at z = 0 under the prior here
  for (const model of [learned, createModel(sees)]) {
    close(carryCode(model, [0], before, weights(0, 1)), [3 + Math.exp(2 * Math.tanh(0.5))]);
    close(carryCode(model, [0], before, weights(1, 1)), [1 + Math.exp(2 * Math.tanh(1 / 4))]);
    close(carryCode(model, [0], before, before), [0]);
  }
  close(carryCode(standard, [0], before, weights(0, 1)), [0]);
});

const overall = { mean: [1, -1], logVar: [Math.log(4), Math.log(10)], covariance: [[4, 2], [2, 10]] }; // prettier-ignore
const wide = () => ({ conditions: [], prior: { kind: "fitted", overall }, priorAt: () => overall });

test("noise and code are each other's inverse, also under a Gaussian with a full covariance", () => {
  const values = weights(1, 0);
  const found = fromNoise(wide(), [1, 2], values); // L = [[2, 0], [1, 3]]
  close(found, [1 + 2, -1 + 1 + 6]);
  close(noiseOf(wide(), found, values), [1, 2]);
  close(noiseOf(createModel(throughZ()), [0], values), [1]);
});

test("a code is outside where its noise leaves the ball that holds 99.7 % of the prior", () => {
  const values = weights(1, 0);
  const at = (...noise) => outside(wide(), fromNoise(wide(), noise, values), values);
  assert.deepEqual([at(0, 3.35), at(3.35, 0), at(0, 3.5), at(-3.5, 0), at(2.5, 2.5)], [false, false, true, true, true]);
});

test("models share the noise, the numbers, or the picture", () => {
  const learned = createModel(throughZ()),
    standard = createModel(payload());
  const values = weights(0, 1); // the learned prior there: mean 3, log σ² 4 tanh(1/2)
  const there = 3 + 0.5 * Math.exp(2 * Math.tanh(0.5));
  close(carried(standard, learned, [0.5], values, "sigma"), [there]);
  close(carried(learned, standard, [there], values, "sigma"), [0.5]);
  close(carried(standard, learned, [0.5], values, "z"), [0.5]);
  close(carried(standard, learned, [0.5], values, "picture"), [there]); // it has no encoder
  const encoding = { ...learned, encode: (pixels, [a, b]) => ({ mean: [pixels[0] + 10 * a + 100 * b], logVar: [0] }) };
  const [first] = standard.decode([0.5], given(0, 1));
  close(carried(standard, encoding, [0.5], values, "picture"), [first + 100]);
  close(carried(standard, { ...encoding, imageShape: [1, 1, 3] }, [0.5], values, "picture"), [there]);
});

test("the map shows every class's prior and the one here", () => {
  const model = createModel(throughZ());
  const lines = (conditions, hidden = []) =>
    priorLines(model, { z: [0], conditions, path: [], progress: 0 }, new Set(hidden)).map(
      ({ gaussian, strong, color, sigmas }) => [gaussian.mean[0], strong, color !== null, sigmas.length],
    );
  assert.deepEqual(lines(weights(1, 0)), [
    [3, false, true, 1],
    [-1, true, true, 3],
  ]);
  assert.deepEqual(lines(weights(1, 0), [0, 1]), [[-1, true, true, 3]]);
  assert.deepEqual(lines(weights(1, 1)), [
    [-1, false, true, 1],
    [3, false, true, 1],
    [1, true, false, 3],
  ]);
});

test("a model that does not hold together is refused, and says why", () => {
  const broken = (change) => {
    const model = payload();
    change(model);
    return () => createModel(model);
  };
  assert.throws(
    broken((m) => delete m.networks.decoder.weights["head.0.bias"]),
    { code: "tensor" },
  );
  assert.throws(
    broken((m) => (m.latentDim = 2)),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => (m.imageShape = [1, 2, 2])),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => (m.prior.overall.mean = [])),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => (m.networks.decoder = null)),
    { code: "network" },
  );
  assert.throws(
    broken((m) => (m.prior = { ...m.prior, kind: "learned", logVarBound: 4 })),
    { code: "network" },
  );
  assert.throws(
    broken((m) => (m.networks.decoder.head[0].op = "evil")),
    { code: "operation" },
  );
  assert.throws(
    broken((m) => (m.networks.decoder.sees = ["z", "image"])),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => (m.conditions[0].kind = "constructor")),
    { code: "mismatch" },
  );
  assert.throws(
    broken((m) => delete m.classes),
    { code: "model" },
  );
});
