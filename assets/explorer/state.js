/**
 * Hold the user's state: a code, the conditions, the path. The browser sends it to Python and gets it back.
 */

import { KINDS } from "./controls/index.js";

/**
 * @typedef {import("./controls/index.js").Condition} Condition
 * @typedef {import("./controls/index.js").Given} Given
 * @typedef {Record<string, any>} Values of conditions, by name, in the form of the condition's kind
 * @typedef {"picture" | "sigma" | "z"} Coupling what several models share, see coupling.js
 * @typedef {{
 *   z: number[], lead: number, told: Values, conditions: Values, coupling: Coupling,
 *   path: number[][], progress: number,
 * }} State
 *   z: a code of the model number `lead`, at the conditions `told`; the codes of the others follow by the coupling, and all
 *   are carried from `told` to the present conditions. path: codes A, B, … of that model, at these conditions.
 *   progress: the position on the path, 0 … 1.
 * @typedef {{latentDim: number, conditions: Condition[], models: number}} Extent what a state must fit
 */

const POINTS = 26; // A … Z

/** @type {readonly Coupling[]} */
export const COUPLINGS = ["picture", "sigma", "z"];

/** @param {Extent} extent @returns {State} */
export function initialState({ latentDim, conditions }) {
  const values = Object.fromEntries(conditions.map((one) => [one.name, KINDS[one.kind].initial(one)]));
  const z = new Array(latentDim).fill(0);
  return { z, lead: 0, told: values, conditions: values, coupling: COUPLINGS[0], path: [], progress: 0 };
}

/**
 * Return the state with the valid parts of `change`; the rest stays unchanged.
 * @param {State} state
 * @param {any} change
 * @param {Extent} extent
 * @returns {State}
 */
export function merge(state, change, { latentDim, conditions, models }) {
  const numbers = (/** @type {any} */ v, /** @type {number} */ n) =>
    Array.isArray(v) && v.length === n && v.every(Number.isFinite);
  const c = change ?? {};
  const next = { ...state, conditions: { ...state.conditions } };
  if (numbers(c.z, latentDim)) next.z = [...c.z];
  for (const condition of conditions) {
    const { name, kind } = condition;
    next.conditions[name] = KINDS[kind].merge(state.conditions[name], c.conditions?.[name], condition);
  }
  if (numbers(c.z, latentDim)) next.told = next.conditions;
  if (Number.isInteger(c.lead) && c.lead >= 0 && c.lead < models) next.lead = c.lead;
  if (COUPLINGS.includes(c.coupling)) next.coupling = c.coupling;
  if (Array.isArray(c.path) && c.path.length <= POINTS && c.path.every((/** @type {any} */ z) => numbers(z, latentDim)))
    next.path = c.path.map((/** @type {number[]} */ z) => [...z]);
  if (Number.isFinite(c.progress)) next.progress = Math.min(1, Math.max(0, c.progress));
  return next;
}

/**
 * Return the inputs of a model's networks for the values of its conditions.
 * @param {{conditions: Condition[]}} model
 * @param {Values} values
 * @returns {Given}
 */
export function givenOf({ conditions }, values) {
  const given = { vector: new Float32Array(conditions.reduce((sum, { width }) => sum + width, 0)), image: 0 };
  let at = 0;
  for (const condition of conditions) {
    KINDS[condition.kind].put(values[condition.name], condition, given, at);
    at += condition.width;
  }
  return given;
}

/**
 * Return the inputs for a held-out image with a label, or null if the label does not determine them.
 * @param {{conditions: Condition[]}} model
 * @param {number} label −1: there is none
 */
export function givenOfLabel(model, label) {
  /** @type {Values} */
  const values = {};
  for (const condition of model.conditions) {
    const value = label < 0 ? undefined : KINDS[condition.kind].ofLabel?.(label, condition);
    if (value === undefined) return null;
    values[condition.name] = value;
  }
  return givenOf(model, values);
}

/** Return the condition that is a class, if there is one. @param {Condition[]} conditions */
export const classAmong = (conditions) => conditions.find(({ kind }) => KINDS[kind].labelOf);

/**
 * Return the class that values of the conditions say most; null without a class.
 * @param {Condition[]} conditions
 * @param {Values} values
 */
export function labelOf(conditions, values) {
  const about = classAmong(conditions);
  return about ? (KINDS[about.kind].labelOf?.(values[about.name]) ?? null) : null;
}
