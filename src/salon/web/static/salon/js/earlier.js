// Earlier grids of this visit, in this tab: kept in sessionStorage, so two tabs never mix and nothing outlives the visit.
import { $, make, say } from "./strings.js";

const KEY = "salon-earlier";
const ASKED = "salon-asked";
const MOST = 8;
const MOST_ASKED = 30;

function load(key, otherwise) { try { return JSON.parse(sessionStorage.getItem(key)) ?? otherwise; } catch { return otherwise; } }
function save(key, value) { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* no storage: only this page knows */ } }
let sets = load(KEY, []);
let asked = load(ASKED, {});
let bring = () => {};

/** `back(id)` is called when a visitor wants an earlier set in the great frame again. */
export function onBring(back) { bring = back; }

/** Keeps a finished set {id, prompt, images}; the newest first, each once. */
export function keep({ id, prompt, images }) {
  sets = [{ id, prompt, images }, ...sets.filter((set) => set.id !== id)].slice(0, MOST);
  save(KEY, sets);
}
/** What was asked for in request `id`, kept from the moment it was accepted: the frame needs its words after a reload. */
export function note(id, wish) {
  asked = { ...Object.fromEntries(Object.entries(asked).slice(-MOST_ASKED)), [id]: wish };
  save(ASKED, asked);
}
export const wishOf = (id) => asked[id] ?? {};

function card(set) {
  const frame = make("span", { className: "frame" },
    ...set.images.map((image) => make("img", { src: image.src, alt: "", width: 256, height: 256, loading: "lazy" })));
  frame.style.setProperty("--side", Math.ceil(Math.sqrt(set.images.length)));
  const button = make("button", { type: "button" }, frame, make("span", { className: "caption", textContent: set.prompt, dir: "auto" }));
  button.setAttribute("aria-label", say("bring_back", { prompt: set.prompt }));
  button.onclick = () => { bring(set.id); $("stage-title").scrollIntoView({ block: "center" }); };
  return make("li", {}, button);
}
/** Shows what is kept, without the set that hangs in the great frame now. */
export function show(current) {
  const others = sets.filter((set) => set.id !== current);
  $("earlier").hidden = !others.length;
  $("earlier-list").replaceChildren(...others.map(card));
}
