// Four machines, one prompt. A press makes one request a machine; its name is in the address (?press=...), so that a
// reload, the back button or a second tab finds them again. Request keys are <press>-<machine>: sent twice, still one.
import { $, config, make, say } from "./strings.js";
import * as api from "./api.js";
import { complain, seedOf, setPrompt } from "./fields.js";
import { FINAL, followTogether } from "./follow.js";
import { Panes, walk } from "./panes.js";
import { clearPlacard, placard, stands } from "./placard.js";
import { inWords, next, part } from "./stages.js";

const KEPT = "salon-machines";
const SOON = 2500; // milliseconds after which a machine that found the line full knocks again
/** Mishaps that concern the words or the house, not one machine: said once. */
const FOR_ALL = new Set(["refused", "bad_recipe", "bad_request", "offline", "engine_unavailable", "guard_unavailable", "foreign_page", "storage_full", "forbidden"]);

let press = null; // {id, wish: {prompt, seed, count}, typed: what stood in the seed's field, halted?}
let sending = false;
let stop = () => {};
let soon = 0;

const announce = (words) => { $("status").textContent = words; };

/** Advice about words, brought when somebody types or something was asked. */
const whisper = () => import("./whisper.js");
$("prompt").addEventListener("focus", whisper, { once: true });

/** One placard for what several machines meet alike. */
function once(mishap) { if (!stands(mishap.code ?? "error")) placard(mishap); }

// What was asked for is kept in this tab, so that a reload in the middle of asking goes on asking.
function remember(now) { try { sessionStorage.setItem(KEPT, JSON.stringify(now)); } catch { /* the house knows what it accepted */ } }
function remembered() { try { return JSON.parse(sessionStorage.getItem(KEPT)); } catch { return null; } }

/** One machine's column. */
class Machine {
  constructor(node) {
    this.node = node;
    this.told = (config.machines ?? []).find(({ name }) => name === node.dataset.name) ?? { name: node.dataset.name, stages: {} };
    this.panes = new Panes(node.querySelector(".polyptych"));
    walk(this.panes.list);
    this.known();
  }
  get name() { return this.told.name; }
  get able() { return this.told.ready !== false; }
  get open() { return Boolean(this.request) && !this.ended; }
  find(part) { return this.node.querySelector(part); }

  /** What the house knows of it: a machine that is missing or damaged says so, and is not asked. */
  known(model) {
    if (model) Object.assign(this.told, model, { ready: model.drawable });
    this.node.classList.toggle("absent", !this.able);
    if (!this.able) this.trouble({ message: this.told.problem || say("not_installed") });
    else if (!this.open) this.trouble(null);
  }
  say(words, done = null) {
    this.find(".step").textContent = words;
    this.find("progress").hidden = done === null;
    if (done !== null) this.find("progress").value = done;
  }
  aloud(words, done) {
    this.say(words, done);
    announce(say("machine_says", { name: this.name, words }));
  }
  /** What went wrong, in place; `action` {words, go} is offered below it. */
  trouble(mishap, action) {
    const paper = this.find(".trouble");
    paper.hidden = !mishap;
    paper.replaceChildren();
    if (!mishap) return;
    paper.append(make("p", { textContent: mishap.message ?? "", dir: "auto" }));
    if (mishap.hint) paper.append(make("p", { className: "hint", textContent: mishap.hint }));
    if (action) paper.append(make("button", { type: "button", className: "plain", textContent: action.words, onclick: action.go }));
  }
  /** Empties the frame for `count` new pictures. */
  clear(count) {
    clearTimeout(this.knock);
    this.request = null;
    this.ended = false;
    this.waits = false;
    this.order = 0;
    this.panes.lay(count);
    this.panes.busy(false);
    this.say("");
    if (this.able) this.trouble(null);
  }
  /** Nobody asked it, or the asking failed: it can be asked alone. */
  idle(words = "not_asked", offer = "ask_this") {
    this.panes.busy(false);
    this.say("");
    this.trouble({ message: say(words) }, { words: say(offer), go: () => ask([this]) });
  }
  async ask(mine) {
    clearTimeout(this.knock);
    this.trouble(null);
    this.panes.busy(true);
    this.say(say("sending"));
    const { wish, id } = mine;
    try {
      const answer = await api.ask({ ...wish, model: this.name }, keyOf(id, this.name));
      if (press !== mine) return api.cancel(answer.id).catch(() => {});
      whisper().then(({ show }) => show(answer));
      this.waits = false;
      this.take(answer);
    } catch (mishap) {
      if (press !== mine) return;
      this.panes.busy(false);
      this.say("");
      if (FOR_ALL.has(mishap.code)) throw mishap;
      this.waits = mishap.code === "too_many_waiting";
      if (this.waits) {
        this.trouble({ message: mishap.message, hint: say("room_soon") });
        this.knock = setTimeout(() => press === mine && ask([this]), SOON);
      } else this.trouble(mishap, { words: say("try_again"), go: () => ask([this]) });
      working();
    }
  }
  /** A request of this machine: just made, or found again. */
  take(found) {
    this.request = found;
    this.panes.busy(true);
    if (FINAL.has(found.state)) this.hear(found.state, found);
    working();
  }
  hear(tag, data) {
    if (FINAL.has(tag)) {
      this.ended = true;
      knockAgain();
    }
    this[`on_${tag}`]?.(data);
    if (FINAL.has(tag) && tag !== "finished") this.panes.busy(false);
    working();
  }
  on_queued({ position, message }) { this.say(message || (position > 0 ? say("waiting", { position }) : say("next"))); }
  on_started() { this.say(say("started"), 0); }
  on_preview({ images, ...where }) {
    const done = part(this.told.stages, where);
    this.say(inWords(where), done);
    this.order += 1;
    for (const { index, src } of images ?? []) this.panes.preview(index, src, this.order, 1 - done);
  }
  on_stage_done({ stage }) {
    const coming = next(this.told.stages, stage);
    if (coming && this.told.stages[coming] === "plain") this.say(inWords({ stage: coming, step: 0, steps: 0 }), 1);
  }
  async on_finished({ images = this.request.images, seconds }) {
    const now = this.request;
    const hung = await Promise.allSettled(images.map((image) => this.hang(image)));
    if (this.request !== now) return;
    this.panes.busy(false);
    import("./pick.js").then(({ rank }) => rank(this.panes, images)); // wanted by those who draw only
    if (hung.some(({ status }) => status === "rejected")) this.trouble({ message: say("picture_lost"), hint: say("picture_lost_hint") });
    this.aloud(seconds != null ? say("done_seconds", { seconds: seconds.toFixed(1) }) : say("done_bare"));
    working();
  }
  hang({ index, src, url, withheld }) {
    if (withheld) return this.panes.withhold(index);
    const number = index + 1;
    return this.panes.finish(index, src, say("machine_alt", { number, name: this.name, prompt: press.wish.prompt }), () => {
      const link = make("a", { href: url });
      link.setAttribute("aria-label", say("machine_open", { number, name: this.name }));
      return link;
    });
  }
  on_refused({ code, why, message, hint }) {
    once({ code: code || "refused", message: why ?? message, hint });
    this.say(say("declined"));
  }
  on_failed({ why, message, hint }) {
    this.say("");
    this.trouble({ message: why ?? message, hint }, press && { words: say("try_again"), go: () => afresh(this) });
    announce(say("machine_says", { name: this.name, words: why ?? message ?? "" }));
  }
  on_cancelled({ code, why }) {
    this.say(say("cancelled"));
    if (why) once({ code, message: why });
  }
  on_lost() { this.say(say("reconnecting")); }
}

const machines = [...document.querySelectorAll(".machine")].map((node) => new Machine(node));
const able = () => machines.filter((machine) => machine.able);
/** At most 64 letters of those that a key may have. A machine that failed and is asked again gets another key. */
const keyOf = (id, name) => `${id}-${name.replace(/[^A-Za-z0-9_-]/g, "_")}`.slice(0, 64);

/** The button rests while the same wish is being drawn; "Stop" is there as long as there is something to stop. */
function working() {
  const busy = machines.some((machine) => machine.open || machine.waits);
  $("stop").hidden = !busy;
  const same = press && $("prompt").value.trim() === press.wish.prompt && Number($("count").value) === press.wish.count && ["", String(press.wish.seed)].includes($("seed").value.trim());
  if (sending || (busy && same)) $("draw").setAttribute("aria-disabled", "true");
  else $("draw").removeAttribute("aria-disabled");
}
function knockAgain() { const mine = press; for (const machine of machines) if (machine.waits) { clearTimeout(machine.knock); machine.knock = setTimeout(() => press === mine && machine.waits && ask([machine]), 100); } }

function refollow() {
  clearTimeout(soon);
  stop();
  const open = machines.filter((machine) => machine.open);
  stop = followTogether(open.map(({ request }) => request.id), (id, tag, data) =>
    machines.find(({ request }) => request?.id === id)?.hear(tag, data));
}

/** Asks these machines, one after the other: the first answer gives a new visitor the ticket that the others need. */
async function ask(chosen) {
  const mine = press;
  sending = true;
  mine.halted = false;
  working();
  let mishap = null;
  for (const machine of chosen) {
    if (press !== mine || mine.halted) break;
    // those who have been asked are followed, however long the next answer takes
    clearTimeout(soon);
    soon = setTimeout(refollow, 80);
    try { await machine.ask(mine); } catch (error) { mishap = error; break; }
  }
  if (press !== mine) return;
  sending = false;
  if (mishap) {
    once(mishap);
    if (machines.some(({ request }) => request)) for (const machine of chosen) { if (!machine.request) machine.idle(); }
    else forget();
  }
  if (mine.halted) for (const machine of chosen) if (!machine.request && !machine.waits) machine.idle();
  if (!mishap || machines.some(({ request }) => request)) refollow();
  working();
}
/** Nothing of this press was accepted: the address is what it was, and nothing of it is kept but the words in the field. */
function forget() {
  remember(null);
  press = null;
  history.replaceState(null, "", location.pathname);
  for (const machine of able()) machine.clear(Number($("count").value));
}
/** The same wish for one machine that failed, as a new press of its own would be: the other keys stay. */
async function afresh(machine) {
  const mine = press;
  machine.request = null;
  machine.ended = false;
  machine.panes.lay(mine.wish.count);
  machine.panes.busy(true);
  machine.trouble(null);
  try {
    const answer = await api.ask({ ...mine.wish, model: machine.name }, `${mine.id}-${api.newKey()}`);
    if (press !== mine) return;
    machine.take(answer);
    refollow();
  } catch (mishap) {
    machine.panes.busy(false);
    machine.trouble(mishap, { words: say("try_again"), go: () => afresh(machine) });
  }
}

function wish() {
  const prompt = $("prompt").value.trim();
  const seed = seedOf($("seed").value);
  if (!prompt) return complain($("prompt"), say("empty"));
  if (seed === null) return complain($("seed"), say("seed_bad"));
  return { prompt, seed, count: Number($("count").value) };
}
function draw() {
  if ($("draw").getAttribute("aria-disabled")) return;
  const now = wish();
  if (!now) return;
  clearPlacard();
  if (!able().length) return once(config.door ?? { code: "weights_missing", message: machines[0]?.told.problem });
  halt();
  press = { id: api.newKey().slice(0, 16), wish: now, typed: $("seed").value.trim() };
  remember(press);
  history.pushState(null, "", `?press=${press.id}`);
  for (const machine of machines) machine.clear(now.count);
  look();
  ask(able());
}
/** On a phone the machines lie below the form. */
function look() {
  const first = machines[0]?.node;
  if (!first || first.getBoundingClientRect().top < innerHeight * 0.7) return;
  if (matchMedia("(pointer: coarse)").matches) document.activeElement.blur();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  first.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}
/** What is still being drawn of the last press is wanted no longer. */
function halt() {
  stop();
  for (const machine of machines) {
    clearTimeout(machine.knock);
    machine.waits = false;
    if (machine.open) api.cancel(machine.request.id).catch(() => {});
  }
}

/** After a reload, or by the back button: what the house knows of the press, and what was not yet asked. */
function resume() {
  const kept = remembered();
  const id = new URLSearchParams(location.search).get("press");
  const shown = config.shown ?? [];
  if (!id || (!shown.length && kept?.id !== id)) return;
  const first = shown[0];
  const found = first && { prompt: first.prompt, seed: first.images[0]?.seed, count: first.images.length };
  press = kept?.id === id ? kept : { id, wish: found, typed: "" };
  fill({ ...press.wish, seed: press.typed });
  for (const machine of machines) {
    machine.clear(press.wish.count);
    const mine = shown.filter(({ model }) => model === machine.name);
    if (mine.length) machine.take(mine.at(-1));
  }
  const missing = able().filter(({ request }) => !request);
  if (kept?.id === id && missing.length) return ask(missing);
  for (const machine of missing) machine.idle();
  refollow();
}
function fill({ prompt, seed, count }) {
  if (prompt) setPrompt(prompt);
  if (seed != null) $("seed").value = seed;
  if (count && [...$("count").options].some((option) => option.value === String(count))) $("count").value = String(count);
}

/** While nothing can be drawn a placard says so; it comes down by itself when the engine is there. */
async function wait(door) {
  once(door);
  for (;;) {
    await new Promise((go) => setTimeout(go, 2000));
    const { engine } = await api.health().catch(() => ({}));
    if (engine !== "ready") continue;
    const { models } = await api.models().catch(() => ({}));
    if (!models) continue;
    for (const machine of machines) machine.known(models.find(({ name }) => name === machine.name) ?? { drawable: false, problem: "" });
    if ($("placard").dataset.code === door.code) clearPlacard();
    return;
  }
}

$("ask").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
$("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("ask").requestSubmit(); }
});
$("ask").addEventListener("input", working);
$("stop").onclick = () => {
  press.halted = true;
  for (const machine of machines) {
    clearTimeout(machine.knock);
    if (machine.waits) { machine.waits = false; machine.idle(); }
    if (machine.open) api.cancel(machine.request.id).catch(placard);
  }
  working();
};
$("count").addEventListener("change", () => { if (!press) for (const machine of machines) machine.clear(Number($("count").value)); });
addEventListener("popstate", () => {
  if (new URLSearchParams(location.search).get("press") !== (press?.id ?? null)) location.reload();
});
fill(config.prefill ?? {});
for (const machine of machines) machine.clear(Number($("count").value));
resume();
if (config.door) wait(config.door);
working();
