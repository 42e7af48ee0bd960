// A screen on the wall. It goes round what hangs, shows a new work at once, takes one that came down off at once, and,
// when the house is away, goes on with what it has: the last picture stays until the next one is wholly there.
import { bring } from "./pictures.js";

const $ = (id) => document.getElementById(id);
const words = JSON.parse($("words").textContent);
const layout = document.body.dataset.layout;
const asked = Number(new URLSearchParams(location.search).get("seconds"));
/** Seconds that a picture hangs; tests ask for a quick day. */
const SECONDS = asked > 0 ? Math.max(asked, 0.02) : layout === "mosaic" ? 4 : 14;
const SLOTS = { single: 1, ticker: 1, triptych: 3, mosaic: 15 }[layout] || 1;
const KEPT = "salon-wall";
/** The service worker's store (wall-worker.js). */
const STORE = "salon-wall-1";

/** Works that came down. A page that the service worker kept may still name them: they must not come back from there. */
let down = kept("down");
let works = JSON.parse($("works").textContent).filter((work) => !down.includes(work.id));
if (!works.length) works = kept("works");
const slots = [];
let turn = 0; // which slot changes next
let next = 0; // which work comes next
let urgent = []; // works that are to be shown before all others
let busy = false;
let running = ""; // the ticker's line

function kept(name) {
  try { return JSON.parse(localStorage.getItem(KEPT))?.[name] ?? []; } catch { return []; }
}
function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ works: works.slice(0, 60), down: down.slice(-500) }));
  } catch { /* a full store only costs memory of last time */ }
}
/** Takes over the list as the house tells it now; what is no longer in it is down. */
function renew(list) {
  const ids = list.map((work) => work.id);
  for (const work of works) if (!ids.includes(work.id)) down.push(work.id);
  down = down.filter((id) => !ids.includes(id));
  works = list.slice(0, 120);
  keep();
  empty();
}

function fill(text, values) { return text.replace(/\{(\w+)\}/g, (_, name) => values[name]); }

/** The picture, wholly loaded, or null: then the one that hangs stays. */
function loaded(src, pauses) {
  const image = new Image();
  return bring(image, src, pauses).then(() => image, () => null);
}

/** As many places as there are works fill the wall: columns and side of a mosaic are those of the largest squares. */
function arrange() {
  const count = Math.max(1, Math.min(SLOTS, works.length));
  const { style } = $("slots");
  $("slots").dataset.count = count;
  if (layout !== "mosaic") return;
  style.removeProperty("--wide"); // what fewer works needed must not bind more
  const { clientWidth: wide, clientHeight: high } = $("slots");
  const gap = Math.min(innerWidth, innerHeight) * 0.03;
  const sides = Array.from({ length: count }, (_, n) => {
    const rows = Math.ceil(count / (n + 1));
    return Math.min((wide - n * gap) / (n + 1), (high - (rows - 1) * gap) / rows);
  });
  const side = Math.max(...sides);
  const columns = sides.indexOf(side) + 1;
  style.setProperty("--side", `${Math.floor(side)}px`);
  style.setProperty("--gap", `${gap}px`);
  style.setProperty("--wide", `${Math.ceil(columns * side + (columns - 1) * gap)}px`);
}

/** The event's name and colour, as they are now. */
function dress({ name, colour }) {
  $("event-name").textContent = name;
  const sheet = $("colour");
  const href = colour ? `/walls/${colour.slice(1)}.css` : "";
  if ((sheet.getAttribute("href") ?? "") === href) return;
  if (href) sheet.setAttribute("href", href); else sheet.removeAttribute("href");
  sheet.disabled = !href;
}

function slot(index) {
  if (!slots[index]) {
    $("slots").append($("slot").content.cloneNode(true));
    slots[index] = { at: $("slots").lastElementChild, work: null };
  }
  return slots[index];
}

async function hang(index, work) {
  const [picture, code] = await Promise.all([loaded(work.src), loaded(work.qr, [])]);
  if (!picture || !works.some((one) => one.id === work.id)) return false; // lost, or it came down meanwhile
  const place = slot(index);
  const [under, over] = ["under", "over"].map((name) => place.at.querySelector(`.${name}`));
  if (place.work && over.src) under.src = over.src;
  under.classList.toggle("matted", over.classList.contains("matted"));
  // what is not square stands on a mat
  over.classList.toggle("matted", Math.abs(picture.naturalWidth / picture.naturalHeight - 1) > 0.02);
  over.classList.remove("shown");
  over.src = work.src;
  over.alt = work.title;
  void over.offsetWidth; // the change of opacity begins from here
  over.classList.add("shown");
  place.at.hidden = false;
  place.at.dataset.work = work.id;
  place.at.querySelector(".title").textContent = work.title;
  place.at.querySelector(".maker").textContent = work.maker || words.by;
  place.at.querySelector(".medium").textContent = work.model ? fill(words.medium, work) : work.medium;
  place.at.querySelector(".prompt").textContent = work.prompt ? fill(words.prompt, work) : "";
  const qr = place.at.querySelector(".qr");
  qr.hidden = !code;
  if (code) qr.src = work.qr;
  place.work = work.id;
  return true;
}

function empty() {
  const nothing = !works.length;
  $("empty").hidden = !nothing;
  for (const place of slots) {
    if (place.work && !works.some((one) => one.id === place.work)) {
      place.work = null;
      place.at.hidden = true;
      for (const image of place.at.querySelectorAll("img")) image.removeAttribute("src");
    }
  }
  arrange();
  ticker();
}

/** Which work comes next: an urgent one, else the next that hangs in no slot already. */
function choose() {
  while (urgent.length) {
    const work = works.find((one) => one.id === urgent[0]);
    urgent.shift();
    if (work) return work;
  }
  for (let tries = 0; tries < works.length; tries += 1) {
    const work = works[next % works.length];
    next = (next + 1) % works.length;
    if (!slots.some((place) => place.work === work.id)) return work;
  }
  return null;
}

async function step() {
  if (busy || !works.length) return;
  busy = true;
  let failed = true;
  try {
    const free = [...Array(Math.min(SLOTS, works.length)).keys()].find((index) => !slots[index]?.work);
    const index = free ?? turn;
    const work = choose();
    failed = !(work && await hang(index, work));
    if (!failed) turn = (index + 1) % Math.max(1, Math.min(SLOTS, works.length));
  } finally { busy = false; }
  // what was taken down while this one loaded left a bare place: fill it now, not at the next turn
  const bare = slots.some((place) => !place.work) && works.some((work) => !slots.some((place) => place.work === work.id));
  if (urgent.length || (bare && !failed)) step();
}

/** The line of prompts runs for ever: twice the same words, moved by half of them, so that the end is the beginning. */
function ticker() {
  if (layout !== "ticker") return;
  const said = works.filter((work) => work.prompt).slice(0, 24).map((work) => `“${work.prompt}”`).join("   ·   ");
  if (said === running) return;
  running = said;
  const runs = [said, said].map((text, copy) => {
    const run = document.createElement("span");
    run.textContent = text;
    if (copy) run.setAttribute("aria-hidden", "true");
    return run;
  });
  $("ticker").replaceChildren(...(said ? runs : []));
  $("ticker").style.setProperty("--seconds", `${Math.max(12, said.length * 0.16)}s`);
}

async function fillAll() {
  for (let n = 0; n < Math.min(SLOTS, works.length); n += 1) await step();
}

function arrived(work) {
  urgent = [...urgent.filter((id) => id !== work.id), work.id];
  renew([work, ...works.filter((one) => one.id !== work.id)]);
  step();
}
function gone(id) {
  const work = works.find((one) => one.id === id);
  renew(works.filter((one) => one.id !== id));
  if (!down.includes(id)) { down.push(id); keep(); }
  if (work) globalThis.caches?.open(STORE).then((store) => store.delete(work.src), () => {});
  step();
}
async function fetchAll() {
  try {
    const answer = await fetch("/wall/works.json", { cache: "no-store" });
    if (!answer.ok) return;
    const told = await answer.json();
    dress(told.event);
    renew(told.works);
    fillAll();
  } catch { /* the house is away; what hangs goes on hanging */ }
}

function listen() {
  const stream = new EventSource("/wall/updates");
  let known = false;
  stream.addEventListener("hello", () => { if (known) fetchAll(); known = true; document.body.dataset.line = "open"; });
  stream.addEventListener("hung", (event) => arrived(JSON.parse(event.data)));
  stream.addEventListener("gone", (event) => gone(JSON.parse(event.data).id));
  stream.addEventListener("lights", fetchAll);
  stream.addEventListener("event", (event) => dress(JSON.parse(event.data)));
  stream.addEventListener("present", (event) => {
    const ids = JSON.parse(event.data);
    if (ids.length !== works.length || ids.some((id, at) => works[at]?.id !== id)) fetchAll();
  });
  stream.onerror = () => {
    document.body.dataset.line = "lost";
    // a browser gives up for good after some answers: begin anew
    if (stream.readyState === EventSource.CLOSED) { fetchAll(); setTimeout(listen, 2000); }
  };
}

if (navigator.serviceWorker) navigator.serviceWorker.register("/wall/worker.js", { scope: "/wall" }).catch(() => {});
keep();
empty();
fillAll();
setInterval(step, SECONDS * 1000);
listen();
addEventListener("resize", arrange);
document.addEventListener("visibilitychange", () => { if (!document.hidden) fetchAll(); });
