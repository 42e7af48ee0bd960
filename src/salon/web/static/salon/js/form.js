// What the visitor asks for: prompt, manner, seed and the rest of the drawer.
import { $, config, make, say } from "./strings.js";
import { newKey, randomSeed } from "./api.js";
import { complain, seedOf, setPrompt } from "./fields.js";

const prompt = $("prompt");
const styles = config.styles ?? [];
const NUMBERS = ["num_inference_steps", "guidance_scale"];

export const text = () => prompt.value.trim();

// A manner is a phrase around the subject: "a watercolour of {}". It stays visible in the prompt, since the prompt
// is what makes the picture; pressing another manner changes the phrase, pressing it again takes it away.
const escape = (words) => words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const pattern = (style) => new RegExp(`^${style.phrase.split("{}").map(escape).join("(.*)")}$`, "is");
const worn = (value) => styles.find((style) => pattern(style).test(value));
export const bare = (value) => { const style = worn(value); return style ? value.match(pattern(style))[1].trim() : value; };
const wear = (style, subject) => style.phrase.replace("{}", () => subject || config.subject || "");

function chip(style) {
  const button = make("button", { type: "button", className: "chip", textContent: style.name });
  button.onclick = () => {
    const off = worn(text()) === style;
    setPrompt(off ? bare(text()) : wear(style, bare(text())));
    if (!bare(text())) prompt.focus();
  };
  return button;
}
function markChips() {
  const now = worn(text());
  [...$("styles").children].forEach((button, i) => button.setAttribute("aria-pressed", String(styles[i] === now)));
}

// Surprise me: prompts made from the world's own words, so that the model knows every one of them.
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const article = (words) => `${/^[aeiou]/i.test(words) ? "an" : "a"} ${words}`;
const SUBJECTS = [
  (s) => `${article(`${pick(s.colours)} ${pick(s.nouns)}`)} ${pick(s.places)}`,
  (s) => `${article(pick(s.nouns))} ${pick(s.places)}`,
  (s) => `${article(pick(s.nouns))} next to ${article(`${pick(s.colours)} ${pick(s.nouns)}`)}`,
  (s) => `${pick(s.landscapes)} ${pick(s.lights)}`,
  (s) => `${article(pick(s.occupations))} in ${pick(s.countries)}`,
];
function surprise() {
  if (!config.surprise) return pick(config.examples ?? [""]);
  const subject = pick(SUBJECTS)(config.surprise);
  return styles.length && Math.random() < 0.7 ? wear(pick(styles), subject) : subject;
}

/** Puts values of an earlier recipe into the fields they belong to. */
export function fill(values) {
  if (values.model && [...$("model").options].some((option) => option.value === values.model)) {
    $("model").value = values.model;
    $("model").onchange();
  }
  for (const name of ["seed", "count", "negative_prompt", "sampler", ...NUMBERS]) if (values[name] != null) $(name).value = values[name];
  if (values.prompt) setPrompt(values.prompt);
  if (!$("count").value) $("count").value = "9";
  sayDraw();
  echo();
}
export function setSeed(value) { $("seed").value = value ?? ""; }
export function openDrawer() { $("drawer").open = true; }

/** What to send, or null after pointing at the field that cannot be sent. */
export function wish() {
  const seed = seedOf($("seed").value);
  if (!text()) return complain(prompt, say("empty"));
  if (seed === null) { openDrawer(); return complain($("seed"), say("seed_bad")); }
  const out = { prompt: text(), count: Number($("count").value), seed };
  for (const name of NUMBERS) if (!$(name).closest(".field").hidden && $(name).value !== $(name).dataset.plain) out[name] = Number($(name).value);
  if (!$("sampler").closest(".field").hidden && $("sampler").value && $("sampler").value !== $("sampler").dataset.plain) out.sampler = $("sampler").value;
  if (!$("model-field").hidden) out.model = $("model").value;
  if ($("negative_prompt").value.trim()) out.negative_prompt = $("negative_prompt").value.trim();
  return out;
}

function sayDraw() {
  const count = $("count").value;
  $("draw").textContent = [1, 4, 9, 16].includes(Number(count)) ? say(`draw_${count}`) : say("draw_n", { count });
}
function echo() {
  $("steps-out").textContent = $("num_inference_steps").value;
  $("guidance-out").textContent = $("guidance_scale").value;
}
/** Puts a model's own settings and limits into the drawer. */
function settle(model) {
  for (const name of NUMBERS) {
    const range = config.ranges?.[name] ?? {};
    for (const edge of ["min", "max"]) if (range[edge] != null) $(name)[edge] = range[edge];
    if (model.defaults?.[name] != null) $(name).value = model.defaults[name];
    $(name).closest(".field").hidden = Boolean(model.name) && model.defaults?.[name] == null;
    $(name).dataset.plain = $(name).value;
  }
  $("sampler").replaceChildren(...(model.samplers ?? []).map((name) => make("option", { textContent: name })));
  if (model.defaults?.sampler) $("sampler").value = model.defaults.sampler;
  $("sampler").dataset.plain = $("sampler").value;
  $("sampler").closest(".field").hidden = (model.samplers ?? []).length < 2 || model.defaults?.sampler == null;
  echo();
}

const models = () => (config.models ?? []).filter((model) => model.ready !== false && model.drawable !== false);
export const named = (name) => models().find((model) => model.name === name) ?? models()[0] ?? {};
/** Puts the installed models into the drawer; also when they come later than the page. */
export function furnish() {
  $("model").replaceChildren(...models().map(({ name, family }) =>
    make("option", { value: name, textContent: say("model_option", { name, family: config.families?.[family] ?? family }) })));
  $("model-field").hidden = models().length < 2;
  settle(named());
}
/** Wires the form; `draw(wish, key)` is called once a press. */
export function begin(draw) {
  $("styles").append(...styles.map(chip));
  $("examples").querySelector("ul").append(...(config.examples ?? []).slice(0, 4).map((line) => {
    const button = make("button", { type: "button", textContent: line, dir: "auto" });
    button.onclick = () => { setPrompt(line); prompt.focus(); };
    return make("li", {}, button);
  }));
  $("examples").hidden = !(config.examples ?? []).length;
  for (const option of [...$("count").options]) if (Number(option.value) > (config.ranges?.count?.max ?? 16)) option.remove();
  $("model").onchange = () => settle(named($("model").value));
  furnish();
  $("defaults").onclick = () => { settle(named($("model").value)); setSeed(""); $("negative_prompt").value = ""; $("count").value = "9"; sayDraw(); };
  $("dice").onclick = () => setSeed(randomSeed());
  $("surprise").onclick = () => { setPrompt(surprise()); $("draw").focus(); };
  $("count").onchange = sayDraw;
  $("ask").addEventListener("input", echo);
  prompt.addEventListener("input", markChips);
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("ask").requestSubmit(); }
  });
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const now = wish();
    if (now) draw(now, newKey());
  });
  sayDraw();
  markChips();
}
