// One picture large, in a dialog: arrows turn, Esc closes, focus returns to the pane it came from.
import { $, say } from "./strings.js";
import { buttons } from "./grid.js";

const dialog = $("viewer");
let shown = null;

/** Opens picture `index` of `set` {prompt, images: [{index, id, src, url}], medium(index)}. */
export function open(set, index) {
  shown = { set, index };
  show();
  if (!dialog.open) dialog.showModal();
}
export const close = () => dialog.close();

function show() {
  const { set, index } = shown;
  const image = set.images[index];
  const number = index + 1;
  $("viewer-image").src = image.src;
  $("viewer-image").alt = say("alt", { number, prompt: set.prompt });
  $("viewer-title").textContent = set.prompt;
  $("viewer-place").textContent = say("place", { number, count: set.images.length });
  $("viewer-medium").textContent = set.medium(index);
  $("viewer-download").href = `${image.src}?download`;
  $("viewer-link").href = image.url;
  $("viewer-hang").href = `${image.url}/hang`;
  $("viewer-report").href = `${image.url}/report`;
  for (const id of ["viewer-previous", "viewer-next"]) $(id).hidden = set.images.length < 2;
}
function turn(by) {
  const { images } = shown.set;
  do shown.index = (shown.index + by + images.length) % images.length; while (images[shown.index].withheld);
  show();
}
$("viewer-previous").onclick = () => turn(-1);
$("viewer-next").onclick = () => turn(1);
$("viewer-close").onclick = close;
dialog.addEventListener("keydown", (event) => {
  const rtl = getComputedStyle(dialog).direction === "rtl" ? -1 : 1;
  const by = { ArrowRight: rtl, ArrowLeft: -rtl }[event.key];
  if (by) { event.preventDefault(); turn(by); }
});
dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.className === "viewer") close(); });
dialog.addEventListener("close", () => { if (!dialog.dataset.leaving) buttons()[shown.index]?.focus(); delete dialog.dataset.leaving; });

/** Wires the two ways to vary; both close the dialog and say where the focus goes themselves. */
export function onVary({ again, words }) {
  const leave = (what) => () => { const now = shown; dialog.dataset.leaving = "1"; close(); what(now.set, now.index); };
  $("viewer-again").onclick = leave(again);
  $("viewer-words").onclick = leave(words);
}
