/** Compute quantiles of the normal distribution, their inverse, random draws, and the divergence of two Gaussians. */

/**
 * Return Φ⁻¹(p): a standard normal variable stays below it with probability p.
 * This is Acklam's rational approximation with one step of Halley's method; its error is below 1e-7.
 * @param {number} p in (0, 1)
 * @returns {number}
 */
export function quantile(p) {
  if (!(p > 0 && p < 1)) return p === 0 ? -Infinity : p === 1 ? Infinity : NaN;
  if (p > 0.5) return -quantile(1 - p);
  let x;
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    x =
      (((((-7.784894002430293e-3 * q - 3.223964580411365e-1) * q - 2.400758277161838) * q - 2.549732539343734) * q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((7.784695709041462e-3 * q + 3.224671290700398e-1) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1);
  } else {
    const q = p - 0.5,
      r = q * q;
    x =
      ((((((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.38357751867269e2) * r -
        3.066479806614716e1) *
        r +
        2.506628277459239) *
        q) /
      (((((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r + 6.680131188771972e1) * r -
        1.328068155288572e1) *
        r +
        1);
  }
  const error = (cumulative(x) - p) * Math.sqrt(2 * Math.PI) * Math.exp((x * x) / 2);
  return x - error / (1 + (x * error) / 2);
}

/**
 * Return Φ(x), the standard normal probability below x, by a series near 0 and by a continued fraction in the tails.
 * @param {number} x
 */
export function cumulative(x) {
  const a = Math.abs(x);
  if (a > 38) return x > 0 ? 1 : 0;
  const density = Math.exp((-a * a) / 2) / Math.sqrt(2 * Math.PI);
  let tail;
  if (a < 3) {
    let term = a,
      sum = a;
    for (let n = 1; Math.abs(term) > 1e-17 * sum && n < 200; n++) sum += term *= (a * a) / (2 * n + 1);
    tail = 0.5 - density * sum;
  } else {
    let fraction = a;
    for (let n = 40; n > 0; n--) fraction = a + n / fraction;
    tail = density / fraction;
  }
  return x > 0 ? 1 - tail : tail;
}

/** Return one draw from N(0, 1). @param {() => number} [random] uniform in [0, 1) */
export function normal(random = Math.random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * Return KL(q ‖ p) of diagonal Gaussians in nats.
 * @param {{mean: number[], logVar: number[]}} q
 * @param {{mean: number[], logVar: number[]}} p
 */
export const divergence = (q, p) =>
  q.mean.reduce((sum, m, i) => {
    const log = q.logVar[i] - p.logVar[i];
    return sum + 0.5 * (Math.exp(log) + (m - p.mean[i]) ** 2 * Math.exp(-p.logVar[i]) - 1 - log);
  }, 0);
