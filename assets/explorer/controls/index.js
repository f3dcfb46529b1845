/**
 * List the kinds of conditions, each with its value in the state and its control. A new kind needs a file beside this
 * one, and its import and entry here; the controls have this order.
 */

import { classKind } from "./class.js";
import { imageKind } from "./image.js";

/**
 * A condition, read from the payload by its kind. `width` is its part of the networks' vector, in numbers. `pictures`
 * are the images that can be given, and `visible` (H × W) marks the pixels that the networks see.
 * @typedef {{
 *   name: string, kind: string, width: number, values?: string[],
 *   pictures?: import("../model.js").Pictures, visible?: Uint8Array | null, [field: string]: any,
 * }} Condition
 *
 * The inputs of a network beside z: the joined vectors of the conditions, and the index of the given image.
 * @typedef {{vector: Float32Array, image: number}} Given
 *
 * @typedef {{
 *   element: HTMLElement,
 *   update: () => void,
 *   redraw?: () => void,
 *   invalidate?: () => void, draw?: (deadline: number) => number,
 *   key?: (key: string) => boolean,
 * }} Control
 *   update: show a changed value. redraw: show changed models or another theme. invalidate: mark the control's images
 *   of z as out of date. draw: draw them until the deadline, and return how many remain. key: return whether the
 *   control used a typed character.
 *
 * @typedef {{
 *   panel?: string,
 *   read: (spec: any, imageShape: number[]) => Condition,
 *   initial: (condition: Condition) => any,
 *   merge: (value: any, change: any, condition: Condition) => any,
 *   put: (value: any, condition: Condition, given: Given, at: number) => void,
 *   ofLabel?: (label: number, condition: Condition) => any,
 *   labelOf?: (value: any) => number,
 *   follows?: (value: any) => boolean,
 *   showcase?: (condition: Condition, value: any) => {value: any, label: number, color: string, here: boolean}[],
 *   named?: (value: any, condition: Condition) => string,
 *   create: (app: import("../app.js").App, name: string) => Control,
 * }} Kind
 *   panel: the panel of the control; without one, it is always visible. read: check the payload. initial: return the
 *   first value. merge: return the value with the valid parts of a change from Python or a link. put: write the value
 *   into the inputs of a network, its numbers from `at` on. ofLabel: return the value of a held-out image with a label.
 *   labelOf: return the class with the largest weight. follows: return whether the value follows a chosen code. showcase: return values whose priors the map shows, in the
 *   colours of classes; `here` marks the present value. named: return the value for the name of a file.
 */

/** @type {Record<string, Kind>} */
export const KINDS = {
  class: classKind,
  image: imageKind,
};
