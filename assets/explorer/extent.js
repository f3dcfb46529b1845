/** What models on one page have in common: a state of the page must fit it. */

import { PayloadError } from "../shared/problem.js";

/**
 * Return what a state must fit, or throw a `PayloadError` if the models cannot share one z.
 * @param {import("./model.js").Model[]} models
 * @returns {import("./state.js").Extent}
 */
export function extentOf(models) {
  const [first] = models;
  const labelled = models.filter(({ classes }) => classes.length);
  for (const model of models) {
    if (model.latentDim !== first.latentDim)
      throw new PayloadError("dimensions", {
        a: first.title,
        b: model.title,
        da: first.latentDim,
        db: model.latentDim,
      });
    if (model.classes.length && JSON.stringify(model.classes) !== JSON.stringify(labelled[0].classes))
      throw new PayloadError("classes", { a: labelled[0].title, b: model.title });
  }
  /** @type {Map<string, import("./state.js").Condition>} */
  const conditions = new Map();
  for (const condition of models.flatMap((model) => model.conditions)) {
    const { name, kind, width } = condition;
    const known = conditions.get(name) ?? condition;
    if (known.kind !== kind || known.width !== width) throw new PayloadError("mismatch", { name });
    conditions.set(name, known);
  }
  return { latentDim: first.latentDim, conditions: [...conditions.values()], models: models.length };
}
