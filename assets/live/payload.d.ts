/**
 * Define the data that Python sends to the live view: cvae/browser/live.py makes and explains `main`, and
 * cvae/ui/components/live.py adds the rest.
 *
 * There are N held-out codes of d dimensions, of which the browser gets min(d, 2) coordinates.
 */

import type { TensorSpec } from "../shared/tensor.js";
import type { LogRecord, PlaneSpec } from "./store.js";

export interface LivePayload {
  version: number;
  key: string; // names the view in the session
  language: string;
  text: any; // words of the language, nested by key
  tick: number; // the number of the answered request
  poll: number; // seconds until the browser asks again; 0: never
  name: string; // of the run
  title: string;
  main: Answer;
  classes: string[];
  latentDim: number; // d
  prior: boolean; // whether it is N(0, I)
  waitsFor: string | null; // the run that must end before this one begins
  others: { name: string; title: string; history: History }[]; // runs with overlaid curves
}

export interface Answer {
  token: string; // identifies the training: if it changes, the browser drops its data
  status: Status;
  history: History;
  steps: number[]; // of all snapshots
  snapshots: FramePayload[]; // some that the browser lacks, the newest first
  live: FramePayload | null; // the present moment
  labels: TensorSpec | null; // (N,) bytes
  heldOut: TensorSpec | null; // (n, C, H, W) bytes, the originals of the strips
  plane: PlaneSpec;
  more: boolean; // whether the browser still lacks snapshots afterwards
}

export interface FramePayload {
  step: number;
  codes: TensorSpec; // (N, min(d, 2))
  active: number; // the number of active units, of d
  strip: TensorSpec | null; // (n, C, H, W) bytes
}

export interface History {
  from: number; // the index of the first record
  records: LogRecord[];
  kept: number; // how many of all, from the first on, stay; those behind are replaced by the next answer
}

/** Status has the fields of cvae/runs/status.py that the browser uses. */
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
