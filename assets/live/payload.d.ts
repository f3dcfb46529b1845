/**
 * What Python sends to the live view, as types: cvae/browser/live.py makes `main` and says what it means, and
 * cvae/ui/components/live.py adds the rest.
 *
 * N held-out codes of d dimensions, which arrive in min(d, 2) coordinates.
 */

import type { TensorSpec } from "../shared/tensor.js";
import type { LogRecord, PlaneSpec } from "./store.js";

export interface LivePayload {
  version: number;
  key: string; // names the view in the session
  language: string;
  text: any; // words of the language, nested by key
  tick: number; // of the browser's question that this answers
  poll: number; // seconds until the browser asks again; 0: never
  name: string; // of the run
  title: string;
  main: Answer;
  classes: string[];
  latentDim: number; // d
  prior: boolean; // whether it is N(0, I)
  waitsFor: string | null; // the run that has to end before this one begins
  others: { name: string; title: string; history: History }[]; // runs whose curves are laid over
}

export interface Answer {
  token: string; // of the training: all that the browser has is of another one when it changes
  status: Status;
  history: History;
  steps: number[]; // of all snapshots there are
  snapshots: FramePayload[]; // some of those that are missing, the newest first
  live: FramePayload | null; // this moment
  labels: TensorSpec | null; // (N,) bytes
  heldOut: TensorSpec | null; // (n, C, H, W) bytes: what the strips reconstruct
  plane: PlaneSpec;
  more: boolean; // whether snapshots are still missing after this
}

export interface FramePayload {
  step: number;
  codes: TensorSpec; // (N, min(d, 2))
  active: number; // units, of d
  strip: TensorSpec | null; // (n, C, H, W) bytes
}

export interface History {
  from: number; // index of the first of the records
  records: LogRecord[];
  kept: number; // how many of all, from the first on, stay; those behind are replaced by the next answer
}

/** As in cvae/runs/status.py; what is used here. */
export interface Status {
  state: string;
  step: number;
  steps: number;
  epoch: number;
  epochs: number;
  stepsPerEpoch: number;
  images_per_second: number | null;
  seconds_left: number | null;
  message: string | null;
}
