// The station: one request at a time hangs in the great frame. Its id is in the address (?request=...), so that a reload,
// the back button or a second tab finds it again.
import { $, config, make, say } from "./strings.js";
import * as api from "./api.js";
import { follow } from "./follow.js";
import * as grid from "./grid.js";
import { setPrompt } from "./fields.js";
import * as form from "./form.js";
import { clearPlacard, placard } from "./placard.js";
import { inWords, part } from "./stages.js";
import * as viewer from "./viewer.js";
import * as whisper from "./whisper.js";
import * as earlier from "./earlier.js";

let current = null; // {id, prompt, images, seed, ...} of the request that hangs now
let stop = () => {};
let sending = false;


const announce = (words) => { $("status").textContent = words; };
function step(words, done = null) {
  $("step-text").textContent = words;
  $("progress").hidden = done === null;
  if (done !== null) $("progress").value = done;
}
function working(yes) {
  $("cancel").hidden = !yes;
  grid.busy(yes);
}

/** While nothing can be drawn a placard says so; it comes down by itself when the engine is there. */
async function wait(door) {
  placard(door);
  for (;;) {
    await new Promise((go) => setTimeout(go, 2000));
    if ($("placard").dataset.code !== door.code) return;
    const { engine } = await api.health().catch(() => ({}));
    if (engine !== "ready") continue;
    if (!config.models?.length) { Object.assign(config, await api.models()); form.furnish(); }
    return clearPlacard();
  }
}

// Drawing
async function draw(wish, key) {
  if (sending) return;
  sending = true;
  $("draw").setAttribute("aria-disabled", "true");
  clearPlacard();
  hang({ prompt: wish.prompt, count: wish.count });
  step(say("sending"));
  look();
  try {
    const answer = await api.ask(wish, key);
    whisper.show(answer);
    earlier.note(answer.id, wish);
    address(answer.id);
    take({ ...wish, ...answer });
  } catch (mishap) {
    working(false);
    step("");
    placard(mishap);
  } finally {
    sending = false;
    $("draw").removeAttribute("aria-disabled");
  }
}
function address(id) { history.pushState(null, "", id ? `?request=${encodeURIComponent(id)}` : location.pathname); }

/** Brings the frame into view where it lies below the form, as on a phone. */
function look() {
  const frame = $("grid").parentElement;
  if (frame.getBoundingClientRect().bottom <= innerHeight) return;
  if (matchMedia("(pointer: coarse)").matches) document.activeElement.blur();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  frame.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
}
/** Empties the frame for `count` new pictures. */
function hang({ prompt, count }) {
  stop();
  current = null;
  grid.lay(count);
  working(true);
  $("plate-title").textContent = prompt;
  earlier.show(null);
}
function take(request) {
  current = { ...request, medium: (index) => medium(request, index) };
  earlier.show(current.id);
  stop = follow(current.id, (tag, data) => current?.id === request.id && heard[tag]?.(data));
}
function medium(request, index) {
  const seed = request.images[index]?.seed ?? (Number(request.seed) + index) % 2 ** 32;
  const model = form.named(request.model);
  // a model that draws code after code has neither steps nor sampler
  if (model.defaults?.num_inference_steps == null) return say("medium_plain", { seed, model: request.model ?? model.name ?? "" });
  const value = (name) => request[name] ?? model.defaults?.[name] ?? "";
  return say("medium", {
    seed, steps: value("num_inference_steps"),
    guidance: value("guidance_scale"), sampler: value("sampler"),
  });
}

// What the engine says
const heard = {
  queued({ position }) {
    const words = position > 0 ? say("waiting", { position }) : say("next");
    if ($("step-text").textContent !== words) announce(words);
    step(words);
  },
  started() { step(say("started"), 0); announce(say("started")); },
  preview({ images, ...where }) {
    const { stages } = form.named(current.model);
    const done = part(stages, where);
    step(where.stage && Object.keys(stages ?? {}).length > 1 ? inWords(where) : say("step", where), done);
    current.order = (current.order ?? 0) + 1;
    for (const { index, src } of images ?? []) grid.preview(index, src, current.order, 1 - done);
  },
  async finished({ images = current.images, seconds }) {
    const set = current;
    set.images = images;
    step(say("done_plain", { count: images.length }), 1);
    const hung = await Promise.allSettled(images.map(({ index, src, withheld }) =>
      withheld ? grid.withhold(index) : grid.finish(index, src, set.prompt, (at) => viewer.open(set, at))));
    if (current !== set) return;
    working(false);
    const best = grid.rank(images);
    if (hung.some((one) => one.status === "rejected")) placard({ code: "offline", message: say("picture_lost"), hint: say("picture_lost_hint") });
    const words = seconds ? say("done", { count: images.length, seconds: seconds.toFixed(1) }) : say("done_plain", { count: images.length });
    step(words);
    announce(best === null ? words : `${words} ${say("clip_pick_is", { number: best + 1 })}`);
    earlier.keep(set);
  },
  refused({ code, why, message, hint }) { end({ code: code ?? "refused", message: why ?? message, hint }); },
  failed({ code, why, message, hint }) { end({ code, message: why ?? message, hint: hint || say("failed_hint") }); form.setSeed(current?.seed); },
  // by whoever asked, or by the house, which says why
  cancelled({ code, why }) { end(why ? { code, message: why } : null); step(say("cancelled")); announce(why || say("cancelled")); },
  lost() { step(say("reconnecting")); },
};
function end(mishap) {
  working(false);
  step("");
  if (mishap) placard(mishap);
}

// A request named by the address: after a reload, by the back button, from the list below
function put(request) {
  const known = { ...earlier.wishOf(request.id), ...request };
  hang({ prompt: known.prompt ?? "", count: request.images.length });
  if (known.prompt) setPrompt(known.prompt);
  take(known);
}
async function resume() {
  const id = new URLSearchParams(location.search).get("request");
  if (id === (current?.id ?? null)) return;
  clearPlacard();
  if (!id) return clear();
  try {
    put(await api.state(id));
  } catch (mishap) {
    clear();
    placard(mishap);
  }
}
function clear() {
  hang({ prompt: "", count: 9 });
  working(false);
  step("");
}
function arrive() {
  earlier.show(null);
  form.fill(config.prefill ?? {});
  if (config.prefill?.seed) form.openDrawer();
  if (config.prefill?.prompt) { $("prompt").focus(); $("prompt").select(); }
  if (config.shown) put(config.shown); else resume();
  if (config.door) wait(config.door);
}

form.begin(draw);
viewer.onVary({
  again(set) { setPrompt(set.prompt); form.setSeed(""); $("ask").requestSubmit(); $("draw").focus(); },
  words(set, index) {
    setPrompt(set.prompt);
    form.setSeed(set.images[index].seed ?? (Number(set.seed) + index) % 2 ** 32);
    form.openDrawer();
    $("prompt").focus();
    $("prompt").select();
  },
});
$("cancel").onclick = () => current && api.cancel(current.id).catch(placard);
addEventListener("popstate", resume);
earlier.onBring((id) => { address(id); resume(); });
arrive();
