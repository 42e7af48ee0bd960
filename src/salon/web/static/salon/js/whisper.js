// Words that the model has never seen, with near ones to put in their place.
import { $, make, say } from "./strings.js";
import { words } from "./api.js";
import { setPrompt } from "./fields.js";

const line = $("whisper");
const prompt = $("prompt");
let asked, timer;

function tip() { if (line.dataset.now !== "tip") { line.dataset.now = "tip"; line.replaceChildren(say("tip")); } }

function swap(word, near) {
  const edge = "[^\\p{L}\\p{N}]";
  const found = new RegExp(`(^|${edge})${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?=$|${edge})`, "iu");
  setPrompt(prompt.value.replace(found, (_, before) => before + near));
  prompt.focus();
}

/** Shows the first of `found` [{word, near: [..]}]; the next one comes when this one is mended. */
export function show(found) {
  const first = (found ?? [])[0];
  if (!first) return tip();
  const now = `${first.word}:${first.near}`;
  if (line.dataset.now === now) return;
  line.dataset.now = now;
  const [before, after] = say("unknown_word").split("{word}");
  line.replaceChildren(before, make("em", { textContent: first.word, dir: "auto" }), after);
  if (first.near?.length) line.append(` ${say("try_instead")} `);
  for (const near of (first.near ?? []).slice(0, 3)) {
    const button = make("button", { type: "button", textContent: near });
    button.setAttribute("aria-label", say("replace", { near, word: first.word }));
    button.onclick = () => swap(first.word, near);
    line.append(button);
  }
}

async function look() {
  asked?.abort();
  asked = new AbortController();
  const text = prompt.value.trim();
  if (!text) return tip();
  try {
    show((await words(text, asked.signal)).words);
  } catch { /* a hint is not worth an error */ }
}
prompt.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 350); });
tip();
