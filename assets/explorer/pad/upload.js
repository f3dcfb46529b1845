/** Read a picture file of the user, in the browser alone: from a choice of files, a drop or the clipboard. */

import { contextOf } from "../../shared/canvas.js";
import { HEADER, readHeader } from "./formats.js";
import { SIDE } from "./strokes.js";

const MOST_PIXELS = 50_000_000;
const MOST_BYTES = 100_000_000;

/** @typedef {{width: number, height: number, channels: number, bytes: Uint8Array}} Picture H × W × C */

/** A file that cannot be used; `code` names a sentence of the text file (`pad.<code>`). */
export class UploadError extends Error {
  /** @param {"notPicture" | "tooLarge" | "damaged"} code */
  constructor(code) {
    super(code);
    this.name = "UploadError";
    this.code = code;
  }
}

/**
 * Decode a picture, its longer side at most as long as the pad's, on white where it is transparent. Of several frames
 * it is the first. A drawing with commands, such as SVG, is never opened: only pixels are. Raise `UploadError`.
 * @param {Blob} file
 * @returns {Promise<Picture>}
 */
export async function readPicture(file) {
  if (file.size > MOST_BYTES) throw new UploadError("tooLarge");
  const header = readHeader(new Uint8Array(await file.slice(0, HEADER).arrayBuffer().catch(damaged)));
  if (!header) throw new UploadError("notPicture");
  if (header.width * header.height > MOST_PIXELS) throw new UploadError("tooLarge");
  const typed = new Blob([file], { type: `image/${header.format}` }); // what its bytes say, not its name
  const { width: across, height: down } = header;
  // The camera may have turned the picture by a quarter, so that only a width which fits either way is safe.
  const resizeWidth = Math.min(2 * SIDE, across, down);
  const small = resizeWidth < Math.max(across, down) / 2;
  const options = small ? { resizeWidth, resizeQuality: /** @type {const} */ ("medium") } : {};
  const bitmap = await createImageBitmap(typed, options).catch(damaged);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale)),
    height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = contextOf(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const bytes = new Uint8Array(3 * width * height);
  for (let p = 0; p < width * height; p++) for (let c = 0; c < 3; c++) bytes[3 * p + c] = data[4 * p + c];
  return { width, height, channels: 3, bytes };
}

/** @returns {never} */
function damaged() {
  throw new UploadError("damaged");
}
