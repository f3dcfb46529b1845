/**
 * The kinds of conditions: what each is in the state, and the control that sets it. A new kind is a file beside this
 * one, and its import and entry here; the controls stand in this order.
 */

import { classKind } from "./class.js";
import { imageKind } from "./image.js";

/**
 * A condition as a kind has read it from the payload. `width`: how many numbers of the networks' vector it takes.
 * `pictures`: what networks that see an image may be given, of which the pixels marked in `visible` (H × W) stay.
 * @typedef {{
 *   name: string, kind: string, width: number, values?: string[],
 *   pictures?: import("../model.js").Pictures, visible?: Uint8Array | null, [field: string]: any,
 * }} Condition
 *
 * What a network is given beside z: a vector, the conditions' side by side, and the index of the given picture.
 * @typedef {{vector: Float32Array, image: number}} Given
 *
 * @typedef {{
 *   element: HTMLElement,
 *   update: () => void,
 *   redraw?: () => void,
 *   invalidate?: () => void, draw?: (deadline: number) => number,
 *   key?: (key: string) => boolean,
 * }} Control
 *   update: the value changed. redraw: the models or the theme changed. invalidate, draw: the control's pictures of z
 *   are out of date; they are drawn until the deadline, and how many remain is said. key: a character was typed;
 *   whether it meant something here.
 *
 * @typedef {{
 *   panel?: string,
 *   read: (spec: any, imageShape: number[]) => Condition,
 *   initial: (condition: Condition) => any,
 *   merge: (value: any, change: any, condition: Condition) => any,
 *   put: (value: any, condition: Condition, given: Given, at: number) => void,
 *   ofLabel?: (label: number, condition: Condition) => any,
 *   follows?: (value: any) => boolean,
 *   showcase?: (condition: Condition, value: any) => {value: any, label: number, color: string, here: boolean}[],
 *   named?: (value: any, condition: Condition) => string,
 *   create: (app: import("../app.js").App, name: string) => Control,
 * }} Kind
 *   panel: that the control belongs to; without one it is always there. read: checks the payload. initial: the value
 *   that is shown first. merge: the value with what fits of a change from Python or from a link. put: writes the value
 *   into what a network is given, its numbers from `at`. ofLabel: the value of a held-out image of that label. follows:
 *   whether the value may follow a code that is chosen. showcase: values whose priors are all drawn, in the colours
 *   of classes; `here` where it is the value itself. named: the value in the name of a file.
 */

/** @type {Record<string, Kind>} */
export const KINDS = {
  class: classKind,
  image: imageKind,
};
