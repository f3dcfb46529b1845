/**
 * Define the data that Python sends to the explorer: cvae/browser/explorer.py makes and explains them, and
 * cvae/ui/components/explorer.py adds the settings of the page. The browser checks the data while it reads them.
 *
 * There are K classes, d latent dimensions, N held-out images and M given images of size C × H × W.
 */

import type { Op } from "./ops.js";
import type { Gaussian, PlaneSpec } from "../shared/plane.js";
import type { TensorSpec } from "../shared/tensor.js";

export interface Payload {
  version: number;
  hash: string; // of models and map: the browser reads the models again only when it changes
  models: SentModel[]; // they share one z
  map: PlaneSpec; // the first plane of the maps

  key: string; // names the explorer in the session
  panels: ("map" | "picture" | "labels" | "sliders" | "path" | "options")[];
  language: string;
  text: any; // words of the language, nested by key
  state: StatePayload | null; // the new state; null: no change
}

/** A SentModel can have, as thumbnails, the index of an earlier model with the same ones. */
export interface SentModel extends Omit<ModelPayload, "thumbnails"> {
  thumbnails: TensorSpec | number | null;
}

export interface ModelPayload {
  id: string; // the name of the run
  title: string; // differs from those of the other models
  family: string;
  latentDim: number; // d
  imageShape: number[]; // [C, H, W]
  classes: string[]; // K names, of the labels of the codes
  output: "image" | "label"; // sigmoid of the logits, or their softmax
  networks: { decoder: NetworkPayload; prior_net?: NetworkPayload }; // prior_net if the prior is learned
  conditions: ConditionPayload[]; // in the order of the vector that networks see
  prior: PriorPayload;
  codes: CodesPayload | null;
  thumbnails: TensorSpec | null; // (N, C, h, w) bytes of the images of the codes, perhaps at half their size
}

export interface NetworkPayload {
  sees: ("z" | "image" | "condition")[]; // the joined inputs, in this order; for an image, its trunk
  trunk: Op[];
  head: Op[];
  weights: Record<string, TensorSpec>; // "head.0.weight" → tensor
}

export interface ConditionPayload {
  name: string;
  kind: string; // a key of KINDS
  values?: string[]; // class: K names
  pictures?: TensorSpec; // image: (M, C, H, W) bytes, hidden pixels 0
  visible?: TensorSpec | null; // image: (H, W) of 0 and 1; null: all pixels are visible
  [field: string]: any; // fields of another kind
}

export interface PriorPayload {
  kind: "standard" | "fitted" | "learned";
  overall: Gaussian; // sets the ranges of sliders and maps; it is the prior itself if the prior is not learned
  start: number[]; // (d,) the mean at the first conditions
  logVarBound?: number; // B of a learned prior: log σ² = B·tanh(r / B)
}

export interface CodesPayload {
  split: string; // "test" or "validation"
  points: TensorSpec; // (N, d) posterior means
  labels: TensorSpec | null; // (N,) bytes
}

export interface StatePayload {
  z: number[]; // (d,)
  conditions: Record<string, any>; // values by name, in the form of the condition's kind
  path?: number[][]; // points A, B, …, (d,) each
  progress?: number; // the position on the path, 0 … 1
}
