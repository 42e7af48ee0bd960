// Keeps what is typed, while it is typed; sends files as they are chosen. The buttons do the same without this script.
import "./call-until.js";
import { make } from "./strings.js";

const form = document.getElementById("application");
const line = document.getElementById("state");
const say = (key, values = {}) => form.dataset[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const clock = new Intl.DateTimeFormat(document.documentElement.lang || "en", { hour: "2-digit", minute: "2-digit" });
/** Milliseconds after the last letter, and at least so often while somebody goes on writing. */
const PAUSE = 1500, OFTEN = 15_000, AGAIN = 5000;

let kept = words();
let busy = false, stopped = false, timer, since = 0;

/** What is typed, without the files. */
function words() {
  const data = new FormData(form);
  for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
  data.delete("revision");
  return new URLSearchParams(data).toString();
}

function later(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(keep, milliseconds);
}

function typed() {
  if (stopped || words() === kept) return;
  since ||= Date.now();
  later(Math.max(0, Math.min(PAUSE, since + OFTEN - Date.now())));
}

/** Sends the words, and `more` (a file). The answer as JSON, or null where the house cannot be reached. */
function post(more, progress = () => {}) {
  const data = new FormData(form);
  for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
  for (const [name, value] of Object.entries(more)) data.append(name, value);
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => { if (event.lengthComputable) progress(event.loaded / event.total); };
    request.onload = () => done({ status: request.status, body: request.response });
    request.onerror = () => done(null);
    request.send(data);
  });
}

async function keep(more = {}, progress) {
  clearTimeout(timer);
  if (stopped) return null;
  if (busy) { if (!Object.keys(more).length) later(PAUSE); return null; }
  const now = words();
  if (now === kept && !Object.keys(more).length) return null;
  busy = true;
  line.textContent = say("saving");
  const answer = await post(more, progress);
  busy = false;
  if (answer?.status === 200) {
    kept = now;
    since = 0;
    form.elements.revision.value = answer.body.revision;
    line.textContent = say("kept", { time: clock.format(new Date()) });
    typed();
  } else if (answer?.body?.code === "conflict") {
    stopped = true;
    line.textContent = say("conflict");
  } else if (answer?.body?.message) {
    stopped = true;
    line.textContent = `${answer.body.message} ${answer.body.hint}`;
  } else {
    line.textContent = say("away");
    if (!Object.keys(more).length) later(AGAIN);
  }
  return answer;
}

function list(box, files) {
  box.querySelector(".given").replaceChildren(...files.map((file) => make("li", {},
    ...(file.src ? [make("img", { src: file.src, width: 96, height: 96, alt: "" })] : []),
    make("a", { href: file.url, textContent: file.name, dir: "auto", download: "" }), " ",
    make("span", { className: "aside", textContent: `${(file.size / 1e6).toFixed(1)} MB` }), " ",
    remover(file))));
}

function remover(file) {
  const button = make("button", { className: "plain", name: "remove", value: file.id, formNoValidate: true, textContent: form.dataset.remove });
  button.setAttribute("aria-label", say("removeName", { name: file.name }));
  return button;
}

function wrong(box, text) {
  let said = box.querySelector(".wrong");
  if (!said) box.append(said = make("p", { className: "wrong", role: "alert" }));
  said.textContent = text;
}

/** Waits until nothing else is on its way. */
async function free() {
  while (busy) await new Promise((done) => setTimeout(done, 100));
}

async function give(box, input) {
  const going = box.querySelector(".going");
  wrong(box, "");
  for (const file of [...input.files]) {
    if (file.size > Number(form.dataset.fileLimit)) {
      wrong(box, say("tooLarge", { name: file.name, most: Number(form.dataset.fileLimit) / 1e6 }));
      continue;
    }
    await free();
    const answer = await keep({ [input.name]: file }, (part) => {
      going.textContent = say("sending", { name: file.name, percent: Math.round(part * 100) });
    });
    going.textContent = "";
    if (answer?.status !== 200) return; // the file stays chosen: the button sends it
    list(box, answer.body.files[input.name] ?? []);
    if (answer.body.wrong[input.name]) wrong(box, answer.body.wrong[input.name]);
  }
  input.value = "";
}

form.addEventListener("input", (event) => { if (event.target.type !== "file") typed(); });
form.addEventListener("focusout", () => { if (words() !== kept) later(200); });
form.addEventListener("submit", async (event) => {
  if (busy) { // what is on its way makes a newer revision: wait for it, or the house would see two windows
    event.preventDefault();
    await free();
    form.requestSubmit(event.submitter);
    return;
  }
  stopped = true;
  clearTimeout(timer);
});
for (const box of form.querySelectorAll(".files")) {
  const input = box.querySelector("input[type=file]");
  input.addEventListener("change", () => give(box, input));
}
document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
// the page from before the back button knows an older application: ask anew
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const copy = document.getElementById("copy-link");
copy?.addEventListener("click", async () => {
  const link = document.getElementById("private-link");
  try {
    await navigator.clipboard.writeText(link.href);
    copy.textContent = copy.dataset.done;
  } catch { // no https, no clipboard: mark it, so that it can be copied by hand
    getSelection().selectAllChildren(link);
  }
});
const summary = document.getElementById("summary");
summary?.focus({ preventScroll: true });
summary?.scrollIntoView({ block: "start" });
