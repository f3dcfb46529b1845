/**
 * The codes of all models on a page, from the state: those of the picture that was put in, or those that go with the
 * code of the leading model. Each is computed once for a state.
 */

import { carried } from "./coupling.js";
import { carryCode } from "./prior.js";

/** @param {import("./app.js").App} app */
export function createCodes(app) {
  /** @type {(number[] | undefined)[]} by model, at the present conditions */ let present = [];
  /** @type {(number[] | undefined)[]} at the conditions that the state's code was told */ let told = [];

  /** Return the code of a model that goes with one of the leading model. @param {number[]} z @param {number} index */
  function carriedFrom(z, index) {
    const { models, state } = app;
    const { lead, told, coupling } = state;
    return index === lead ? z : carried(models[lead], models[index], z, told, coupling);
  }

  /** @param {number} index */
  function toldCode(index) {
    const { input, models, state } = app;
    const followed = (/** @type {number} */ i) => {
      const code = input.following ? input.code(i) : null;
      return code && carryCode(models[i], code, input.values, state.told);
    };
    const own = index === state.lead || state.coupling === "picture" ? followed(index) : null;
    return own ?? carriedFrom(followed(state.lead) ?? state.z, index);
  }

  const codes = {
    /** Return the present code of a model. @param {number} index */
    of: (index) => (present[index] ??= codes.at(index)),
    /**
     * Return the code of a model at values of the conditions, by default the present ones.
     * @param {number} index
     * @param {import("./state.js").Values} [values]
     * @param {number[]} [z] a code of the leading model in place of the state's
     */
    at(index, values = app.state.conditions, z) {
      const code = z ? carriedFrom(z, index) : (told[index] ??= toldCode(index));
      return carryCode(app.models[index], code, app.state.told, values);
    },
    /**
     * Return the points of the path for a model, at values of the conditions, by default the present ones.
     * @param {number} index
     * @param {import("./state.js").Values} [values]
     */
    path(index, values = app.state.conditions) {
      const { path } = app.state;
      return path.length ? path.map((z) => codes.at(index, values, z)) : path; // the same: nothing is drawn anew
    },
    /** Let the state's code and path be those of a model, at the present conditions. @param {number} index */
    leadBy(index) {
      const { state } = app;
      if (index === state.lead && state.told === state.conditions) return;
      const path = codes.path(index);
      const z = codes.at(index);
      Object.assign(state, { lead: index, told: state.conditions, path, z });
    },
    /** Forget what was computed, after a change of the state. */
    forget() {
      present = [];
      told = [];
    },
  };
  return codes;
}
