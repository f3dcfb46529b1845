/** Models that were sent apart from the explorer, by their hash: assets/part/main.js keeps them. */

export const ARRIVED = "cvae-part"; // the event of a part that has arrived

/** @returns {Map<string, {text: string}>} */
const store = () => /** @type {any} */ (globalThis).cvaeParts ?? new Map();

/** @param {string} hash @returns {any} what was sent; null: it has not arrived */
function partOf(hash) {
  const found = store().get(hash);
  return found ? JSON.parse(found.text) : null;
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
