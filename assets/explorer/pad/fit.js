/**
 * Fit a large picture to the input of a model, by the rule by which its data set was made. Pure functions; ink is 1.
 *
 *     mnist    The box of the ink is scaled to fit 20 × 20, with its proportions, by averaging over areas. Then it is
 *              moved by whole pixels so that its centre of mass lies in the middle of 28 × 28 (Y. LeCun's rule).
 *     digits   The box of the ink is laid on 32 × 32 and the ink is counted in blocks of 4 × 4, 0 … 16 (E. Alpaydin,
 *              C. Kaynak: UCI optdigits). In these data the box fills the height and between a half and three quarters of the width.
 *     plain    The whole picture is scaled to fit the input, with its proportions, by averaging over areas. What it
 *              does not reach is paper: 0 in grey, white in colour.
 */

/**
 * @typedef {"mnist" | "digits" | "plain"} Fit
 * @typedef {{width: number, height: number, channels: number, data: ArrayLike<number>}} Raster H × W × C in [0, 1]
 * @typedef {{pixels: Float32Array, blank: boolean}} Fitted H × W × C in [0, 1]
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 */

/** @type {readonly string[]} */
export const FITS = ["mnist", "digits", "plain"];

const FAINT = 0.02; // ink below this is none
const INNER = 20 / 28; // of MNIST's sides: the box of the ink
const GRID = 32; // the sides of the bitmap of the digits
const NARROWEST = 14; // columns of that bitmap: the makers widened thin digits
const WIDEST = 24; // and narrowed wide ones

/**
 * Return a picture as a model's input, and whether it is blank.
 * @param {Raster} raster grey ink for "mnist" and "digits", and for "plain" grey or colour as the model has
 * @param {Fit} fit
 * @param {number[]} imageShape [C, H, W]
 * @returns {Fitted}
 */
export function fitTo(raster, fit, [channels, height, width]) {
  if (raster.channels !== channels) throw new Error(`${raster.channels} channels, and the model has ${channels}`);
  if (fit === "plain" || channels !== 1) return fitPlain(raster, height, width);
  const box = inkBox(raster);
  if (!box) return { pixels: new Float32Array(height * width), blank: true };
  const pixels = fit === "mnist" ? fitMnist(raster, box, height, width) : fitDigits(raster, box, height, width);
  return { pixels, blank: false };
}

/** Return whether there is nothing on the paper. @param {Raster} raster */
export function isBlank({ channels, data }) {
  for (let i = 0; i < data.length; i++) if (Math.abs(data[i] - (channels === 3 ? 1 : 0)) > FAINT) return false;
  return true;
}

/**
 * Return the smallest box that holds all ink, or null if there is none.
 * @param {Raster} raster grey
 * @returns {Box | null}
 */
export function inkBox({ width, height, data }) {
  let left = width,
    right = -1,
    top = -1,
    bottom = -1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let first = 0;
    while (first < width && data[row + first] <= FAINT) first++;
    if (first === width) continue;
    let last = width - 1;
    while (data[row + last] <= FAINT) last--;
    if (top < 0) top = y;
    bottom = y;
    if (first < left) left = first;
    if (last > right) right = last;
  }
  return top < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** @param {Raster} raster @param {Box} box @param {number} height @param {number} width */
function fitMnist(raster, box, height, width) {
  const scale = Math.min((INNER * width) / box.width, (INNER * height) / box.height);
  const w = Math.ceil(box.width * scale - 1e-9),
    h = Math.ceil(box.height * scale - 1e-9);
  const small = sample(raster, box.x, box.y, 1 / scale, 1 / scale, w, h);
  let mass = 0,
    sx = 0,
    sy = 0;
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const ink = small[y * w + x];
      mass += ink;
      sx += ink * x;
      sy += ink * y;
    }
  const right = Math.round(width / 2 - sx / mass),
    down = Math.round(height / 2 - sy / mass);
  const out = new Float32Array(height * width);
  for (let y = Math.max(0, -down); y < Math.min(h, height - down); y++)
    for (let x = Math.max(0, -right); x < Math.min(w, width - right); x++)
      out[(y + down) * width + x + right] = small[y * w + x];
  return out;
}

/** @param {Raster} raster @param {Box} box @param {number} height @param {number} width */
function fitDigits(raster, box, height, width) {
  const down = box.height / GRID; // pixels of the picture to one of the bitmap
  const across = box.width / Math.min(WIDEST, Math.max(NARROWEST, box.width / down));
  const start = box.x + box.width / 2 - (across * GRID) / 2;
  const bitmap = sample(raster, start, box.y, across, down, GRID, GRID);
  const blocks = { width: GRID, height: GRID, channels: 1, data: bitmap };
  const counts = sample(blocks, 0, 0, GRID / width, GRID / height, width, height);
  return counts.map((share) => Math.round(16 * share) / 16);
}

/** @param {Raster} raster @param {number} height @param {number} width @returns {Fitted} */
function fitPlain(raster, height, width) {
  const { channels } = raster;
  const step = Math.max(raster.width / width, raster.height / height);
  const x = (raster.width - step * width) / 2,
    y = (raster.height - step * height) / 2;
  const paper = channels === 3 ? 1 : 0;
  const pixels = sample(raster, x, y, step, step, width, height, paper);
  return { pixels, blank: isBlank({ width, height, channels, data: pixels }) };
}

/**
 * Average a raster over equal areas, H × W of them. Areas may be cut by pixels, or lie outside, where there is paper.
 * @param {Raster} raster
 * @param {number} x0 the left edge of the first area, in pixels of the raster
 * @param {number} y0 its upper edge
 * @param {number} sx the width of an area
 * @param {number} sy its height
 * @param {number} width how many areas
 * @param {number} height
 * @param {number} [paper]
 * @returns {Float32Array} height × width × C
 */
export function sample(raster, x0, y0, sx, sy, width, height, paper = 0) {
  const { width: w, height: h, channels: c, data } = raster;
  const across = shares(x0, sx, width, w),
    down = shares(y0, sy, height, h);
  const out = new Float32Array(height * width * c).fill(paper);
  const row = new Float32Array(width * c);
  for (let j = 0; j < height; j++)
    for (let y = down.first[j]; y <= down.last[j]; y++) {
      const tall = down.share(j, y);
      row.fill(0);
      for (let i = 0; i < width; i++)
        for (let x = across.first[i]; x <= across.last[i]; x++) {
          const weight = tall * across.share(i, x);
          for (let k = 0; k < c; k++) row[i * c + k] += weight * (data[(y * w + x) * c + k] - paper);
        }
      for (let i = 0; i < row.length; i++) out[j * width * c + i] += row[i];
    }
  return out;
}

/**
 * Return which pixels each area of a line meets, and which share of the area each pixel fills.
 * @param {number} start of the first area
 * @param {number} step the length of an area
 * @param {number} count of the areas
 * @param {number} size of the line, in pixels
 */
function shares(start, step, count, size) {
  const first = Int32Array.from({ length: count }, (_, i) => Math.max(0, Math.floor(start + i * step)));
  const last = Int32Array.from({ length: count }, (_, i) => Math.min(size, Math.ceil(start + (i + 1) * step)) - 1);
  const share = (/** @type {number} */ i, /** @type {number} */ pixel) =>
    Math.max(0, Math.min(pixel + 1, start + (i + 1) * step) - Math.max(pixel, start + i * step)) / step;
  return { first, last, share };
}
