// Mishaps: a placard on the wall, with what happened and what to do next.
import { $, make, say } from "./strings.js";

const TITLES = {
  offline: "offline_title", refused: "refused_title", bad_recipe: "form_title", bad_request: "form_title",
  busy: "busy_title", too_many_waiting: "busy_title", engine_unavailable: "waking_title",
  guard_unavailable: "guard_title", weights_missing: "missing_title", weights_damaged: "missing_title", gone: "gone_title", not_found: "gone_title",
};
/** Whether a placard says this already. */
export const stands = (code) => $("placard").dataset.code === code && !$("placard").hidden;
export function placard({ code = "error", message, hint }) {
  const down = make("button", { type: "button", className: "plain", textContent: say("dismiss") });
  down.onclick = () => { clearPlacard(); $("prompt").focus(); };
  $("placard").replaceChildren(make("h2", { textContent: say(TITLES[code] ?? "failed_title") }),
    make("p", { textContent: message, dir: "auto" }), make("p", { className: "hint", textContent: hint ?? "" }), down);
  $("placard").dataset.code = code;
  $("placard").hidden = false;
}
export function clearPlacard() { $("placard").hidden = true; $("placard").dataset.code = ""; $("placard").replaceChildren(); }
