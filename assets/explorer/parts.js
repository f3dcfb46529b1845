/** Models that were sent apart from the explorer, by their hash: assets/part/main.js keeps them. */

export const ARRIVED = "cvae-part"; // the event of a part that has arrived

/** @returns {Map<string, {bytes: Uint8Array}>} */
const store = () => /** @type {any} */ (globalThis).cvaeParts ?? new Map();

/**
 * Return what was sent as a part, or null if it has not arrived. A part is a line of JSON and the bytes of its tensors.
 * @param {string} hash
 */
function partOf(hash) {
  const bytes = store().get(hash)?.bytes;
  if (!bytes) return null;
  const line = bytes.indexOf(10);
  return withTensors(JSON.parse(new TextDecoder().decode(bytes.subarray(0, line))), bytes.subarray(line + 1));
}

/**
 * Return JSON whose tensors have their bytes as `data`, in place of where these bytes are.
 * @param {any} content
 * @param {Uint8Array} bytes of all tensors
 * @returns {any}
 */
function withTensors(content, bytes) {
  if (content === null || typeof content !== "object") return content;
  if (Array.isArray(content)) return content.map((one) => withTensors(one, bytes));
  if (!Array.isArray(content.at))
    return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, withTensors(value, bytes)]));
  const [first, count] = content.at;
  return { dtype: content.dtype, shape: content.shape, data: bytes.subarray(first, first + count) };
}

/**
 * The models with everything in place: parts, and the thumbnails that several share. Null while a part is missing.
 * @param {import("./payload.d.ts").SentModel[]} models
 * @returns {import("./payload.d.ts").ModelPayload[] | null}
 */
export function whole(models) {
  const found = models.map((model) =>
    typeof model?.part === "string"
      ? { ...partOf(model.part), title: model.title, thumbnails: model.thumbnails }
      : model,
  );
  if (found.some((model, i) => models[i]?.part && !model.networks)) return null;
  const pictures = found.map(({ thumbnails }) =>
    typeof thumbnails?.part === "string" ? partOf(thumbnails.part) : thumbnails,
  );
  if (pictures.some((own, i) => own === null && found[i].thumbnails)) return null;
  return found.map((model, i) => {
    const own = typeof pictures[i] === "number" ? pictures[pictures[i]] : pictures[i];
    return { ...model, thumbnails: typeof own === "number" ? null : own };
  });
}

/**
 * The judges with their parts in place. Null while a part is missing.
 * @param {any[]} judges
 * @returns {import("./payload.d.ts").JudgePayload[] | null}
 */
export function wholeJudges(judges) {
  const found = judges.map((judge) => (typeof judge?.part === "string" ? partOf(judge.part) : judge));
  return found.includes(null) ? null : found;
}
