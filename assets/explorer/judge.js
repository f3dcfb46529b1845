/** The judge: a frozen classifier, which says what digit a picture is. */

import { anyPicture, createNetwork, softmax } from "./model.js";
import { PayloadError } from "../shared/problem.js";

/**
 * @typedef {{accuracy: number, imageShape: number[], verdict: (pixels: Float32Array) => Verdict}} Judge
 *   accuracy: on test images, 0 … 1.
 * @typedef {{label: number, name: string, share: number}} Verdict the most likely class, and its probability
 */

/**
 * @param {import("./payload.d.ts").JudgePayload} payload
 * @returns {Judge}
 */
export function createJudge({ imageShape, classes, accuracy, network: spec }) {
  const about = { latentDim: 0, width: 0, imageShape, image: anyPicture };
  const network = createNetwork("judge", spec, about);
  if (network.shape.join() !== String(classes?.length) || !Number.isFinite(accuracy))
    throw new PayloadError("mismatch", { name: "judge" });
  const shares = new Float32Array(classes.length);
  return {
    accuracy,
    imageShape,
    verdict(pixels) {
      softmax(network.run([], { pixels }), shares);
      const label = shares.indexOf(Math.max(...shares));
      return { label, name: String(classes[label]), share: shares[label] };
    },
  };
}
