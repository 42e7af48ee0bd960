// Words that the model has never seen, with near ones to put in their place, and what of the wish would change nothing.
import { $, make, say } from "./strings.js";
import { words } from "./api.js";
import { setPrompt } from "./fields.js";

const line = $("whisper");
const prompt = $("prompt");
const said = ["negative_prompt", "guidance_scale"];
let asked, timer;

function swap(word, near) {
  const edge = "[^\\p{L}\\p{N}]";
  const found = new RegExp(`(^|${edge})${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?=$|${edge})`, "iu");
  setPrompt(prompt.value.replace(found, (_, before) => before + near));
  prompt.focus();
}
function button(word, near) {
  const press = make("button", { type: "button", textContent: near });
  press.setAttribute("aria-label", say("replace", { near, word }));
  press.onclick = () => swap(word, near);
  return press;
}
const marked = ({ word }) => make("em", { textContent: word, dir: "auto" });

/** One word as a sentence with what to try; several as a list, what to try behind each. */
function unknown(found) {
  const [before, after] = say(found.length > 1 ? "unknown_words" : "unknown_word").split("{word}");
  const near = (one) => (one.near ?? []).map((name) => button(one.word, name));
  if (found.length === 1) return [before, marked(found[0]), after, ...(found[0].near?.length ? [` ${say("try_instead")} `, ...near(found[0])] : [])];
  return [before, ...found.flatMap((one, at) => [at ? " · " : "", make("span", { className: "odd" }, marked(one), ...near(one))]), after];
}

/** `found` [{word, near: [..]}]: all words that no model has seen. `unused` [{field, message}]: what changes nothing, said
 *  at its field. */
export function show({ words: found = [], unused = [] } = {}) {
  for (const place of document.querySelectorAll("[data-unused]")) {
    const text = unused.filter(({ field }) => field === place.dataset.unused).map(({ message }) => message).join(" ");
    if (place.textContent !== text) place.textContent = text;
  }
  const unread = unused.filter(({ field }) => field === "prompt");
  const now = JSON.stringify([found, unread]);
  if (line.dataset.now === now) return;
  line.dataset.now = now;
  line.replaceChildren(...(found.length ? unknown(found) : unread.length ? [] : [say("tip")]));
  for (const { message } of unread) line.append(make("span", { className: "unread", textContent: message, dir: "auto" }));
}

/** What would be sent, as far as advice needs it. */
function wish() {
  const fields = said.map((name) => $(name)).filter((field) => field && !field.closest(".field").hidden);
  return new URLSearchParams([["prompt", prompt.value.trim()], ...fields.map((field) => [field.name, field.value])]);
}
async function look() {
  asked?.abort();
  asked = new AbortController();
  try {
    show(await words(wish(), asked.signal));
  } catch { /* a hint is not worth an error */ }
}
const later = () => { clearTimeout(timer); timer = setTimeout(look, 350); };
for (const kind of ["input", "change"]) prompt.form.addEventListener(kind, later);
$("defaults")?.addEventListener("click", later);
show();
if (document.activeElement === prompt && prompt.value) later(); // typed before this was here
