/**
 * Ask for the true posteriors of the picture that was put in, of every model on the page, while the page is idle: at
 * first the grids are filled, then the picture is explained, all models a stage at a time.
 */

import { labelOf } from "../state.js";
import { createExact } from "./exact.js";

const SLICE = 12; // milliseconds of work at a time at least
const MOST = 25; // at most
const QUIET = 120; // milliseconds without a move before the work continues
const SHOWN = 4; // times a second that the progress of the grids is told

/** @typedef {import("./exact.js").Result} Result */

/**
 * @param {import("../app.js").App} app
 * @param {() => void} changed called when a stage of a model has ended, or the grids have grown
 */
export function createInquiry(app, changed) {
  /** @type {import("./exact.js").Exact | null} made when the page has been shown */ let exact = null;
  /** @type {(import("./exact.js").Explanation | null)[]} */ let explanations = [];
  let wanted = false,
    scheduled = false,
    stopped = false,
    told = 0;

  /** Continue soon: at once if somebody waits for an answer, else when the page is idle. */
  function schedule() {
    if (scheduled || stopped) return;
    scheduled = true;
    const waited = explanations.some((one) => one?.more) || wanted;
    if (!waited && "requestIdleCallback" in globalThis) requestIdleCallback(step, { timeout: 300 });
    else setTimeout(() => step(null)); // Safari has no idle callbacks
  }

  /** @param {IdleDeadline | null} idle */
  function step(idle) {
    scheduled = false;
    if (stopped || !app.root.isConnected) return;
    if (performance.now() - app.lastMove < QUIET) return void setTimeout(schedule, QUIET);
    const left = idle ? Math.min(MOST, Math.max(SLICE, idle.timeRemaining())) : MOST;
    if (work(performance.now() + left)) schedule();
  }

  /** Go on until the deadline; return whether more remains. @param {number} deadline */
  function work(deadline) {
    exact ??= createExact(app.models, app.state.conditions);
    if (wanted) begin(exact);
    const open = explanations.flatMap((one, i) => (one && one.more ? [{ one, i }] : []));
    open.sort((a, b) => a.one.result.stage - b.one.result.stage);
    // The grid of the label comes first; the other labels are asked for after the contours.
    const ready = open.find(({ one, i }) => one.result.stage < 1 || exact?.complete(i));
    if (ready) {
      const { stage } = ready.one.result;
      ready.one.work(deadline);
      if (ready.one.result.stage !== stage) changed();
      return true;
    }
    const more = exact.fill(deadline);
    const now = performance.now();
    if (!more || now - told > 1000 / SHOWN) {
      told = now;
      changed();
    }
    return more || wanted || open.length > 0;
  }

  /** Begin to explain the picture by the models whose grids are ready. @param {import("./exact.js").Exact} exact */
  function begin(exact) {
    const { input } = app;
    const label = labelOf(app.extent.conditions, input.values) ?? 0;
    exact.prefer(label);
    wanted = false;
    app.models.forEach((model, i) => {
      const q = input.posteriors[i];
      if (!q?.logVar || !exact.has(i) || explanations[i]) return;
      if (!exact.ready(i, model.conditions.length ? label : 0)) return void (wanted = true);
      const pixels = /** @type {import("../input.js").Picture} */ (input.picture).pixelsFor(model);
      const explanation = exact.explain(i, pixels, model.conditions.length ? label : 0, {
        mean: q.mean,
        logVar: q.logVar,
      });
      explanations[i] = explanation;
    });
  }

  return {
    /** Forget the last picture: a new one is being drawn. */
    forget() {
      explanations = [];
      wanted = false;
    },
    /** Ask about the present picture. */
    ask() {
      explanations = [];
      wanted = app.input.picture !== null;
      app.lastMove = 0;
      schedule();
    },
    /** Use other models. */
    replace() {
      exact = null;
      this.ask();
    },
    /** @param {number} index @returns {Result | null} */
    result: (index) => explanations[index]?.result ?? null,
    filled: () => exact?.share() ?? 0,
    stop: () => void (stopped = true),
  };
}
