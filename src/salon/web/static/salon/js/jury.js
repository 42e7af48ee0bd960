// Scoring by keyboard: digits give points, Enter goes on, Ctrl and Enter save. Without this the form works as forms do.
const form = document.querySelector("#scoring");
const fields = [...form.querySelectorAll(".points")];
const save = form.querySelector("[name=do][value=save]");
let typed = "";

function focusOn(field) {
  field?.querySelector("input:checked, input:not([type=radio])")?.focus({ preventScroll: false });
  if (field && !field.contains(document.activeElement)) field.querySelector("input").focus({ preventScroll: false });
  typed = "";
}

/** The points that the digits typed so far mean, else those of the last digit alone. */
function give(field, digit) {
  const value = (text) => [...field.querySelectorAll("input[type=radio]")].find((tap) => tap.value === text);
  const tap = value(typed + digit) ?? value(digit);
  typed = tap?.value === typed + digit ? typed + digit : digit;
  if (!tap) return;
  tap.checked = true;
  tap.focus();
}

form.addEventListener("keydown", (press) => {
  if (press.key === "Enter" && (press.ctrlKey || press.metaKey)) {
    press.preventDefault();
    save.click();
    return;
  }
  if (press.ctrlKey || press.metaKey || press.altKey) return;
  const field = press.target.closest(".points");
  if (!field) return;
  if (press.key === "Enter") {
    press.preventDefault();
    const next = fields[fields.indexOf(field) + 1];
    if (next) focusOn(next);
    else form.querySelector("#text").focus();
  } else if (/^[0-9-]$/.test(press.key) && press.target.type === "radio") {
    press.preventDefault();
    give(field, press.key);
  } else if (press.key === "Backspace" && press.target.type === "radio") {
    for (const tap of field.querySelectorAll("input")) tap.checked = false;
    typed = "";
  } else if (press.key !== "Shift") typed = "";
});

if (fields.length && matchMedia("(min-width: 64rem) and (hover: hover)").matches && !location.hash) {
  fields[0].querySelector("input:checked, input").focus({ preventScroll: true });
}
