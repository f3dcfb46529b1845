/**
 * What Python sends to the explorer, as types: cvae/browser/explorer.py makes it and says what it means, and
 * cvae/ui/components/explorer.py adds what concerns the page. The browser checks it while it reads it.
 *
 * K classes, d latent dimensions, N held-out images, M given pictures, C × H × W an image.
 */

import type { Fit } from "./pad/fit.js";
import type { Op } from "./ops.js";
import type { Gaussian, PlaneSpec } from "../shared/plane.js";
import type { TensorSpec } from "../shared/tensor.js";

export interface Payload {
  version: number;
  hash: string; // of models and map: the models are read again only when it changes
  models: SentModel[]; // on one z
  judges: any[]; // JudgePayload, or the hash of the `part` that holds it
  map: PlaneSpec; // the plane that the maps show first

  key: string; // names the explorer in the session
  panels: ("pad" | "map" | "picture" | "labels" | "sliders" | "path" | "options")[];
  language: string;
  text: any; // words of the language, nested by key
  state: StatePayload | null; // where to go; null: stay
}

/**
 * A model as it is sent: whole, its thumbnails perhaps the index of an earlier model that has the same; or its title
 * and the hash of the `part` that holds the rest (cvae/browser/parts.py), thumbnails in a part of their own.
 */
export interface SentModel extends Omit<ModelPayload, "thumbnails"> {
  part?: string;
  thumbnails: any;
}

export interface ModelPayload {
  id: string; // the name of the run
  title: string; // told apart from those beside it
  family: string;
  latentDim: number; // d
  imageShape: number[]; // [C, H, W]
  classes: string[]; // K names, of the labels of the codes
  fit: Fit; // the rule that brings any picture to this shape
  likelihood: LikelihoodPayload | null; // of the pixels; null: it has parameters that are not here
  output: "image" | "label"; // sigmoid of the logits, or their softmax
  // prior_net where the prior is learned, encoder where its weights are kept
  networks: { decoder: NetworkPayload; prior_net?: NetworkPayload; encoder?: NetworkPayload };
  losses: number[] | null; // quantiles of the −ELBO of the test images: the least, each 5 %, the largest
  binarized: boolean; // whether the test images were black and white
  judge: number | null; // of the payload's judges, the one that knows its images and classes
  posterior: PosteriorPayload | null; // null: there is no encoder
  conditions: ConditionPayload[]; // in the order of the vector that networks see
  prior: PriorPayload;
  codes: CodesPayload | null;
  thumbnails: TensorSpec | null; // (N, C, h, w) bytes of the images of the codes, perhaps at half their size
}

export interface LikelihoodPayload {
  kind: "bernoulli" | "gaussian"; // on the logits, or on their sigmoid as mean
  logSigma?: number; // of a Gaussian
}

export interface JudgePayload {
  data: string; // the name of the data set
  imageShape: number[]; // [C, H, W]
  classes: string[]; // K names
  accuracy: number; // on the test images, 0 … 1
  network: NetworkPayload; // the softmax of its answer to an image is p(y|x)
}

export interface NetworkPayload {
  sees: ("z" | "image" | "condition")[]; // what is joined, in this order; of an image, the trunk of it
  trunk: Op[];
  head: Op[];
  weights: Record<string, TensorSpec>; // "head.0.weight" → tensor
}

export interface ConditionPayload {
  name: string;
  kind: string; // a key of KINDS
  values?: string[]; // class: K names
  pictures?: TensorSpec; // image: (M, C, H, W) bytes, hidden pixels 0
  visible?: TensorSpec | null; // image: (H, W) of 0 and 1; null: all is seen
  [field: string]: any; // of another kind
}

export interface PriorPayload {
  kind: "standard" | "fitted" | "learned";
  overall: Gaussian; // spans sliders and maps; where the prior is not learned, it is the prior
  logVarBound?: number; // B of a learned prior: log σ² = B·tanh(r / B)
}

export interface PosteriorPayload {
  kind: "gaussian" | "point"; // what the encoder ends in: mean and raw log-variance, or the code alone
  logVarBound?: number; // B of a Gaussian: log σ² = B·tanh(r / B)
}

export interface CodesPayload {
  split: string; // "test" or "validation"
  points: TensorSpec; // (N, d) posterior means
  labels: TensorSpec | null; // (N,) bytes
}

export interface StatePayload {
  z?: number[]; // (d,) a code of the model number `lead`; without it z stays, or follows the picture put in
  lead: number;
  coupling: "picture" | "sigma" | "z";
  conditions: Record<string, any>; // values by name; what a value is, its kind says
  path?: number[][]; // points A, B, …, (d,) each
  progress?: number; // along the path, 0 … 1
}
