// The door. Looks at codes, asks the house, answers with the whole screen; without a line it keeps what it saw and says
// that nobody counts.
import { allowed, possible, readFile, watch } from "./door-camera.js";
import { keep, kept, sendAll } from "./door-queue.js";

const $ = (id) => document.getElementById(id);
const words = JSON.parse($("words").textContent);
const facts = JSON.parse($("facts").textContent);
let board = JSON.parse($("state").textContent);
/** Milliseconds: how long the house may take to answer; between looks for a lost line; until a code counts as shown anew. */
const PATIENCE = 6000, AGAIN = 3000, AWAY = 2500;

let lost = false;
let camera = null;
let lastSeen = { text: "", at: 0 };
let busy = false;
let shown = null; // the answer on the screen
let last = null; // what was asked last, should it be let in anyway
const seen = new Map(); // code -> hour, of this device, since it began

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const hour = (at = new Date()) => at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
function number() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The house

async function ask(path, body) {
  const options = body ? { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } } : {};
  const answer = await fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(told.message ?? ""), { status: answer.status, hint: told.hint ?? "" });
  return told;
}
/** Whether the house did not answer, as against: it answered that something is wrong. */
const silent = (mishap) => !mishap.status || mishap.status >= 500;

let timer = 0;
function line(open) {
  lost = !open;
  tell();
  clearTimeout(timer);
  if (lost) timer = setTimeout(look, AGAIN);
}
async function look() {
  try { board = await ask("/api/door/state"); } catch (mishap) {
    if (silent(mishap)) line(false); else refuse(mishap);
    return;
  }
  line(true);
  send();
}
async function send() {
  if (!kept().length) return;
  try {
    await sendAll((scan) => ask("/api/door/redeem", scan), () => tell());
    board = await ask("/api/door/state");
  } catch (mishap) {
    if (silent(mishap)) line(false);
    else if (mishap.status === 429) setTimeout(send, AGAIN * 5);
    else refuse(mishap);
  }
  tell();
}
function listen() {
  const stream = new EventSource("/door/updates");
  stream.addEventListener("hello", () => { if (lost || kept().length) look(); });
  stream.addEventListener("inside", (event) => { inside(JSON.parse(event.data)); });
  stream.addEventListener("revoked", () => { stream.close(); refuse({ message: words.revoked, hint: words.revoked_hint }); });
  stream.onerror = () => {
    look();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN);
  };
}

// Numbers

function inside(numbers) {
  for (const pool of board.pools) pool.inside = numbers[pool.id] ?? 0;
  tell();
}
function line_of(pool) {
  const row = $("pool").content.cloneNode(true);
  row.querySelector(".what").textContent = pool.name;
  row.querySelector(".inside").textContent = pool.inside;
  row.querySelector(".booked").textContent = fill(words.of, pool);
  row.querySelector(".left").textContent = fill(words.left, pool);
  return row;
}
function conflict(row) {
  const item = document.createElement("li");
  item.className = "conflict";
  for (const [name, text] of [["b", row.name || words.nobody], ["span", `${row.at} · ${row.word}: ${row.message}`]]) {
    const part = document.createElement(name);
    part.dir = "auto";
    part.textContent = text;
    item.append(part, " ");
  }
  return item;
}
function tell() {
  $("board").replaceChildren(...board.pools.map(line_of));
  const waits = kept().length;
  document.body.dataset.line = lost ? "lost" : "open";
  $("line").textContent = lost ? words.lost : words.open;
  $("without").hidden = !lost;
  $("kept").hidden = !waits;
  $("kept").textContent = fill(words.kept_many, { count: waits });
  $("conflicts").hidden = !board.conflicts.length;
  $("conflict-list").replaceChildren(...board.conflicts.map(conflict));
}

// Answers

function say(answer) {
  shown = answer;
  const at = $("answer");
  at.dataset.tone = answer.tone;
  $("word").textContent = answer.word;
  $("who").textContent = answer.name ?? "";
  $("what").textContent = answer.pool ?? "";
  $("message").textContent = answer.message ?? "";
  $("hint").textContent = answer.hint ?? "";
  $("undo").hidden = answer.answer !== "in" || answer.undone;
  $("anyway").hidden = answer.answer !== "too_early" || !last;
  at.hidden = false;
  document.querySelector("main").inert = true;
  $("next").focus();
  beep(answer.tone);
}
function refuse(mishap) { say({ tone: "red", word: words.stop, message: mishap.message, hint: mishap.hint }); }
function next() {
  shown = null;
  $("answer").hidden = true;
  document.querySelector("main").inert = false;
  $("code").value = "";
}
let sound = null;
function beep(tone) {
  if ($("sound").getAttribute("aria-pressed") !== "true") return;
  navigator.vibrate?.(tone === "green" ? 60 : [90, 60, 90]);
  sound ??= new AudioContext();
  const notes = { green: [880], amber: [520, 520], red: [240, 200] }[tone];
  notes.forEach((pitch, at) => {
    const [voice, loud] = [sound.createOscillator(), sound.createGain()];
    voice.frequency.value = pitch;
    loud.gain.value = 0.2;
    voice.connect(loud).connect(sound.destination);
    voice.start(sound.currentTime + at * 0.18);
    voice.stop(sound.currentTime + at * 0.18 + 0.13);
  });
}

/** Whether it looks like a ticket at all; signatures only the house can check. */
function plausible(code) {
  const packed = code.replace(/[\s-]/g, "").toUpperCase();
  const body = (packed.startsWith(facts.prefix) ? packed.slice(facts.prefix.length) : packed).replace(/O/g, "0").replace(/[IL]/g, "1");
  const known = [...body].every((letter) => facts.alphabet.includes(letter));
  if (packed.startsWith(facts.prefix)) return known && body.length === 45;
  return known && body.length === facts.length && !check(body);
}
/** As `_check` in doors/tickets.py: 0 for a code without a slip of the hand. */
function check(code) {
  return [...code].reduce((total, letter) => {
    const doubled = total << 1;
    return (doubled & 32 ? doubled ^ 0b100101 : doubled) ^ facts.alphabet.indexOf(letter);
  }, 0);
}

async function show(scan) {
  if (busy) return;
  busy = true;
  document.body.dataset.busy = "";
  const whole = { nonce: number(), ...scan };
  last = scan;
  try {
    if (lost) throw new TypeError("no line");
    const answer = await ask("/api/door/redeem", whole);
    if (scan.code) seen.set(scan.code, hour());
    say(answer);
    inside(answer.inside);
  } catch (mishap) {
    if (silent(mishap)) { line(false); without(whole); } else refuse(mishap);
  } finally {
    busy = false;
    delete document.body.dataset.busy;
  }
}
/** Without a line: the scan is kept with its number, in case the house heard it after all. */
function without(scan) {
  const before = seen.get(scan.code ?? scan.place);
  const safe = keep(scan);
  seen.set(scan.code ?? scan.place, hour());
  const told = { tone: "amber", answer: "kept", word: words.kept, message: words.kept_message, hint: words.kept_hint };
  if (before) Object.assign(told, { word: words.twice, message: fill(words.twice_message, { time: before }) });
  if (!safe) Object.assign(told, { tone: "red", word: words.stop, message: words.full, hint: words.full_hint });
  say(told);
  tell();
}
function typed(code, way) {
  if (!plausible(code)) {
    say(way === "scan" ? { tone: "red", word: words.no_ticket, message: words.no_ticket_message, hint: words.no_ticket_hint }
      : { tone: "amber", word: words.slip, message: words.slip_message, hint: "" });
    return;
  }
  show({ code, way });
}
/** The camera tells the same code many times a second: it counts once, until it was away or the answer is gone. */
function scanned(text) {
  const now = performance.now();
  const same = text === lastSeen.text && now - lastSeen.at < AWAY;
  lastSeen = { text, at: now };
  if (same || busy || (shown && shown.tone !== "green")) return;
  typed(text, "scan");
}

// The camera

async function start() {
  if (camera) return;
  $("start").disabled = true;
  try {
    camera = await watch($("video"), scanned);
  } catch (error) {
    $("start").disabled = false;
    explain(error.name === "NotAllowedError" ? words.denied : words.no_camera);
    return;
  }
  $("view").dataset.on = "";
  $("start").hidden = true;
  $("why").hidden = true;
  camera.track.onended = stop;
  if (camera.light) $("light").hidden = false;
  awake();
}
function stop() {
  camera?.stop();
  camera = null;
  delete $("view").dataset.on;
  $("start").hidden = false;
  $("start").disabled = false;
}
function explain(text) { $("why").hidden = false; $("why").textContent = text; }
let lock = null;
async function awake() {
  try { if (camera && !document.hidden && (!lock || lock.released)) lock = await navigator.wakeLock?.request("screen"); } catch { /* its battery is low: then it sleeps */ }
}
function toggle(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

// Names

let searching = null;
async function search() {
  searching?.abort();
  searching = new AbortController();
  const wanted = $("name").value.trim();
  if (!wanted) { $("found").replaceChildren(); $("more").textContent = ""; return; }
  try {
    const answer = await fetch(`/api/door/search?q=${encodeURIComponent(wanted)}`, { signal: searching.signal, cache: "no-store" });
    if (!answer.ok) throw Object.assign(new Error(), { status: answer.status });
    const { found, more } = await answer.json();
    $("found").replaceChildren(...found.map(person));
    $("more").textContent = more ? words.more : found.length ? "" : words.none;
  } catch (mishap) {
    if (mishap.name !== "AbortError") $("more").textContent = words.no_search;
  }
}
function person(row) {
  const item = $("person").content.cloneNode(true);
  item.querySelector(".who").textContent = row.name;
  item.querySelector(".what").textContent = `${row.pool} · ${row.state}`;
  const press = item.querySelector("button");
  press.hidden = row.inside;
  press.setAttribute("aria-label", fill(words.let_in, row));
  press.onclick = () => { $("name").value = ""; search(); show({ place: row.place, way: "name" }); };
  return item;
}

async function walkIn(event) {
  event.preventDefault();
  if (busy) return;
  busy = true;
  const form = event.target;
  form.dataset.nonce ??= number(); // pressed again after a lost answer it is still one place
  try {
    const answer = await ask("/api/door/walk-in", { nonce: form.dataset.nonce, pool: form.pool.value, name: form.guest.value });
    delete form.dataset.nonce;
    form.guest.value = "";
    say(answer);
    look();
  } catch (mishap) {
    if (silent(mishap)) { line(false); say({ tone: "red", word: words.stop, message: words.no_walk_in, hint: words.kept_hint }); }
    else { delete form.dataset.nonce; say({ tone: "amber", word: words.stop, message: mishap.message, hint: mishap.hint }); }
  } finally { busy = false; }
}

$("start").onclick = start;
$("next").onclick = next;
$("answer").onclick = (event) => { if (!event.target.closest("button")) next(); };
addEventListener("keydown", (event) => { if (event.key === "Escape" && shown) next(); });
$("undo").onclick = async () => {
  try {
    const answer = await ask("/api/door/undo", { nonce: shown.nonce });
    say(answer);
    inside(answer.inside);
  } catch (mishap) { refuse(silent(mishap) ? { message: words.no_undo, hint: "" } : mishap); }
};
$("anyway").onclick = () => show({ ...last, anyway: true });
$("typing").onsubmit = (event) => { event.preventDefault(); if ($("code").value.trim()) typed($("code").value.trim(), "typed"); };
$("photo").onchange = async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  const text = await readFile(file).catch(() => "");
  event.target.value = "";
  if (text) typed(text, "scan"); else say({ tone: "amber", word: words.blurred, message: words.blurred_message, hint: words.blurred_hint });
};
let pause = 0;
$("name").oninput = () => { clearTimeout(pause); pause = setTimeout(search, 200); };
$("searching").onsubmit = (event) => { event.preventDefault(); search(); };
$("walking").onsubmit = walkIn;
$("light").onclick = () => { const on = $("light").getAttribute("aria-pressed") !== "true"; camera?.light?.(on); toggle($("light"), on); };
$("sound").onclick = () => {
  const on = $("sound").getAttribute("aria-pressed") !== "true";
  toggle($("sound"), on);
  try { localStorage.setItem("salon-door-sound", on ? "1" : ""); } catch { /* for this page only */ }
};
try { toggle($("sound"), Boolean(localStorage.getItem("salon-door-sound"))); } catch { /* off */ }
document.addEventListener("visibilitychange", () => { if (!document.hidden) { awake(); look(); } });
addEventListener("offline", () => line(false));
addEventListener("online", look);

/** Everything the page is made of, kept for a time without a line. */
async function provide() {
  navigator.serviceWorker.addEventListener("message", () => { document.body.dataset.kept = ""; });
  await navigator.serviceWorker.register("/door/worker.js", { scope: "/door" });
  const { active } = await navigator.serviceWorker.ready;
  const parts = performance.getEntriesByType("resource").map((part) => new URL(part.name)).filter((at) => at.pathname.startsWith("/static/"));
  const later = ["./door-decoder.js", "./vendor/jsqr.js"].map((part) => new URL(part, import.meta.url));
  active.postMessage([new URL("/door", location.href), ...parts, ...later].map(String));
}
if (navigator.serviceWorker) addEventListener("load", () => provide().catch(() => { /* then it needs a line to load */ }));
tell();
listen();
if (kept().length) send();
if (!possible()) { $("start").hidden = true; explain(words.insecure); } else if (await allowed()) start();
