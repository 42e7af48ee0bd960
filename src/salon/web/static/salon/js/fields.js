// What every form that asks for pictures does with its fields.
import { $ } from "./strings.js";
import { randomSeed } from "./api.js";

export function setPrompt(value) {
  const prompt = $("prompt");
  prompt.value = value;
  prompt.dispatchEvent(new Event("input", { bubbles: true }));
}
/** The seed as written, a chance one for nothing, null for what is none. */
export function seedOf(written) {
  const seed = written.trim();
  if (!seed) return randomSeed();
  return /^\d+$/.test(seed) && Number(seed) <= 4294967295 ? Number(seed) : null;
}
/** Points at a field and says what is wrong with it. */
export function complain(field, words) {
  field.setCustomValidity(words);
  field.reportValidity();
  field.focus();
  field.addEventListener("input", () => field.setCustomValidity(""), { once: true });
  return null;
}
