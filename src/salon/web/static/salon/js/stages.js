// A model draws in stages; each becomes visible in its own way. What a preview says, in words and as a part of the whole.
import { has, say } from "./strings.js";

const WORDS = {
  tokens: "stage_tokens", diffusion: "stage_noise", base: "stage_noise", decoder: "stage_noise", prior: "stage_prior",
  super_resolution: "stage_enlarge_steps", upscale: "stage_enlarge",
};

/** "Taking noise away: step 3 of 12"; a stage that nobody has words for says its name. */
export function inWords({ stage, step, steps }) {
  const key = Object.hasOwn(WORDS, stage ?? "") ? WORDS[stage] : has(`stage_${stage}`) ? `stage_${stage}` : "stage_other";
  return say(key === "stage_enlarge_steps" && !(steps > 1) ? "stage_enlarge" : key, { stage, step, steps });
}

/** From 0 to 1: how far a model with these `stages` {name: kind} is. Plain stages are one call and take no part. */
export function part(stages, { stage, step, steps }) {
  const walked = Object.entries(stages ?? {}).filter(([, kind]) => kind !== "plain").map(([name]) => name);
  const here = steps > 0 ? step / steps : 1;
  const place = walked.indexOf(stage);
  return place < 0 ? here : (place + here) / walked.length;
}

/** The stage that comes after this one, if any. */
export function next(stages, stage) {
  const names = Object.keys(stages ?? {});
  return names[names.indexOf(stage) + 1] ?? null;
}
