/** Write into the root's attributes what a test or another script may ask: the input, its posteriors, the bound. */

/** @param {import("./app.js").App} app */
export function reportInput({ root, input, models }) {
  root.dataset.x = input.picture ? base64(input.picture.pixelsFor(models[0])) : "";
  const numbers = input.posteriors.map(
    (q) => q && { mean: q.mean, std: q.logVar && q.logVar.map((v) => Math.exp(v / 2)) },
  );
  root.dataset.posterior = JSON.stringify(numbers);
}

/** @param {import("./app.js").App} app */
export function reportPosteriors({ root, inquiry, models }) {
  if (!inquiry) return;
  const results = models.map((_, i) => inquiry.result(i));
  root.dataset.nats = JSON.stringify(results.map((result) => result?.nats ?? null));
  root.dataset.stages = JSON.stringify(results.map((result) => result?.stage ?? null));
  root.dataset.filled = inquiry.filled().toFixed(2);
}

/** Return numbers in [0, 1] as base64 of bytes. @param {Float32Array} values */
const base64 = (values) => btoa(Array.from(values, (v) => String.fromCharCode(Math.round(255 * v))).join(""));
