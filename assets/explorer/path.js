/** Compute the path between codes A, B, …, with equal times between them. */

/** @typedef {"linear" | "spherical"} Course equals `Interpolation` in cvae/explore/decoding.py */

/**
 * @param {number[][]} points at least one
 * @param {number} progress 0 … 1 from the first to the last
 * @param {Course} [course]
 * @param {number[]} [centre] the mean of the prior, the centre of a spherical path; by default the origin
 * @returns {number[]}
 */
export function along(points, progress, course = "linear", centre) {
  const stages = points.length - 1;
  if (stages < 1) return [...points[0]];
  const at = Math.min(1, Math.max(0, progress)) * stages;
  const stage = Math.min(stages - 1, Math.floor(at));
  const [a, b, t] = [points[stage], points[stage + 1], at - stage];
  return course === "spherical" ? slerp(a, b, t, centre ?? a.map(() => 0)) : lerp(a, b, t);
}

/** @param {number[]} a @param {number[]} b @param {number} t */
const lerp = (a, b, t) => a.map((v, i) => v + (b[i] - v) * t);

/**
 * Interpolate on the great circle about the mean of the prior, with an even change of the radius. In many dimensions
 * the straight line comes nearer to the mean than any draw from the prior (White 2016, "Sampling generative
 * networks"). `path` in cvae/explore/decoding.py does the same.
 * @param {number[]} from @param {number[]} to @param {number} t 0 … 1 @param {number[]} centre
 */
function slerp(from, to, t, centre) {
  const [a, b] = [from, to].map((z) => z.map((v, i) => v - centre[i]));
  const la = Math.hypot(...a),
    lb = Math.hypot(...b);
  const cosine = a.reduce((sum, v, i) => sum + v * b[i], 0) / (la * lb);
  if (!(Math.abs(cosine) < 1 - 1e-6)) return lerp(from, to, t); // on one line with the centre, or at it
  const angle = Math.acos(cosine),
    length = la + (lb - la) * t;
  const wa = (Math.sin((1 - t) * angle) / Math.sin(angle)) * (length / la);
  const wb = (Math.sin(t * angle) / Math.sin(angle)) * (length / lb);
  return a.map((v, i) => centre[i] + wa * v + wb * b[i]);
}

/** Return the letter of a point: A, B, …, Z. @param {number} i */
export const pointName = (i) => String.fromCharCode(65 + i);
