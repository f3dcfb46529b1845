/** The way between codes: A, B, … at equal times. */

/** @typedef {"straight" | "spherical"} Course */

/**
 * @param {number[][]} points at least one
 * @param {number} progress 0 … 1 from the first to the last
 * @param {Course} [course]
 * @returns {number[]}
 */
export function along(points, progress, course = "straight") {
  const stages = points.length - 1;
  if (stages < 1) return [...points[0]];
  const at = Math.min(1, Math.max(0, progress)) * stages;
  const stage = Math.min(stages - 1, Math.floor(at));
  const between = course === "spherical" ? slerp : lerp;
  return between(points[stage], points[stage + 1], at - stage);
}

/** @param {number[]} a @param {number[]} b @param {number} t */
const lerp = (a, b, t) => a.map((v, i) => v + (b[i] - v) * t);

/**
 * Along the great circle, the length changing evenly: in many dimensions the straight line would pass nearer to the
 * origin than draws from N(0, I) ever lie (White 2016, "Sampling generative networks").
 * @param {number[]} a @param {number[]} b @param {number} t
 */
function slerp(a, b, t) {
  const la = Math.hypot(...a),
    lb = Math.hypot(...b);
  const cosine = a.reduce((sum, v, i) => sum + v * b[i], 0) / (la * lb);
  if (!(Math.abs(cosine) < 1 - 1e-6)) return lerp(a, b, t); // one line through the origin, or a zero
  const angle = Math.acos(cosine),
    length = la + (lb - la) * t;
  const wa = (Math.sin((1 - t) * angle) / Math.sin(angle)) * (length / la);
  const wb = (Math.sin(t * angle) / Math.sin(angle)) * (length / lb);
  return a.map((v, i) => wa * v + wb * b[i]);
}

/** A, B, …, Z. @param {number} i */
export const pointName = (i) => String.fromCharCode(65 + i);
