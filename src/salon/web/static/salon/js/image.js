// One work: copy its recipe; draw it again.
import { $, make, say } from "./strings.js";
import * as api from "./api.js";
import { follow } from "./follow.js";

$("copy").onclick = async () => {
  try {
    await navigator.clipboard.writeText($("recipe-json").textContent.trim());
    $("copied").textContent = say("copied");
  } catch {
    getSelection().selectAllChildren($("recipe-json"));
    $("copied").textContent = say("copy_failed");
  }
};

// Draw this again: the recipe goes through the model once more, in the frame, and the house says how far the new
// picture is from the one that hangs (the largest difference of a channel, 0 to 255).
const again = $("again");
const tell = (words) => { $("verdict").textContent = words; };

function veil(src, rough) {
  const image = make("img", { className: "veil", alt: "", src });
  image.style.setProperty("--rough", rough.toFixed(3));
  return image.decode().then(() => {
    if (!again.getAttribute("aria-disabled")) return; // it was done before this preview could be shown
    const old = document.querySelectorAll(".veil");
    $("frame").append(image);
    old.forEach((node) => node.remove());
  }).catch(() => {});
}
function lift() { document.querySelectorAll(".veil").forEach((node) => node.remove()); }

function verdict(levels) {
  if (levels === null || levels === undefined || !$("work")) return location.reload();
  tell(say(levels === 0 ? "again_same" : levels <= 1 ? "again_close" : "again_other", { levels }));
}
function done(mishap) {
  again.removeAttribute("aria-disabled");
  lift();
  if (mishap) tell(`${mishap.message ?? ""} ${mishap.hint ?? ""}`);
}
function hear(tag, data) {
  if (tag === "preview") {
    tell(say("step", data));
    if (data.images[0]) veil(data.images[0].src, 1 - data.step / data.steps);
  }
  if (tag === "lost") tell(say("reconnecting"));
  if (tag === "finished") { done(); verdict(data.images[0].difference); }
  if (["refused", "failed", "cancelled"].includes(tag)) done({ message: data.why ?? data.message ?? say("cancelled"), hint: data.hint });
}
again.onclick = async (event) => {
  event.preventDefault();
  if (again.getAttribute("aria-disabled")) return;
  again.setAttribute("aria-disabled", "true");
  tell(say("again_wait"));
  try {
    follow((await api.again(again.dataset.image)).id, hear);
  } catch (mishap) { done(mishap); }
};
