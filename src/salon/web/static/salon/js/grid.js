// The panes of the great frame. Their place is fixed before any image; images only ever fade in on top.
import { $, make, say } from "./strings.js";

const list = $("grid");

/** Puts up `count` empty panes. */
export function lay(count) {
  list.dataset.count = count;
  list.dataset.side = Math.ceil(Math.sqrt(count));
  list.replaceChildren(...Array.from({ length: count }, (_, index) =>
    make("li", { className: "pane" }, tag(index))));
}
const tag = (index) => {
  const node = make("span", { className: "tag", textContent: index + 1 });
  node.setAttribute("aria-hidden", "true");
  return node;
};
export const busy = (yes) => list.setAttribute("aria-busy", String(yes));
export const pane = (index) => list.children[index];
export const buttons = () => [...list.querySelectorAll("button")];

/** Decodes `src`, then fades it in over what the pane shows. A later image never loses against an earlier one. */
async function hang(index, src, order, dress) {
  const place = pane(index);
  if (!place) return;
  const image = make("img", { alt: "", decoding: "async", draggable: false });
  dress(image);
  image.src = src;
  await image.decode();
  if (pane(index) !== place || order < Number(place.dataset.order ?? -1)) return;
  place.dataset.order = order;
  place.classList.add("seen");
  const holder = place.querySelector("button") ?? place;
  const below = [...holder.querySelectorAll("img"), ...place.querySelectorAll(":scope > img")];
  holder.append(image);
  void image.offsetWidth; // the fade starts from the state just laid out
  image.classList.add("shown");
  setTimeout(() => below.forEach((old) => old.remove()), 260);
  return place;
}

/** A preview: what the image would be if it stopped now; `rough` falls from 1 to 0. */
export function preview(index, src, step, rough) {
  return hang(index, src, step, (image) => {
    image.className = "rough";
    image.style.setProperty("--rough", rough.toFixed(3));
  }).catch(() => {});
}

/** No image: the house's filter kept it back. */
export function withhold(index) {
  const place = pane(index);
  if (!place) return;
  place.querySelectorAll("img").forEach((image) => image.remove());
  place.classList.add("withheld");
  place.append(make("p", { className: "hint", textContent: say("withheld") }));
}

/** The finished image; its pane becomes a button that opens it. Rejects if the image cannot be loaded. */
export function finish(index, src, prompt, open) {
  const place = pane(index);
  if (!place) return Promise.resolve();
  const number = index + 1;
  return hang(index, src, 1e6, (image) => { image.alt = say("alt", { number, prompt }); }).then((same) => {
    if (!same || same.querySelector("button")) return;
    same.classList.add("done");
    const button = make("button", { type: "button", onclick: () => open(index) });
    button.setAttribute("aria-label", say("open_picture", { number, prompt }));
    button.setAttribute("aria-haspopup", "dialog");
    button.append(...same.querySelectorAll("img"));
    same.append(button);
  });
}

// Arrow keys walk over the panes as they hang.
list.addEventListener("keydown", (event) => {
  const side = Number(list.dataset.side ?? 3);
  const rtl = getComputedStyle(list).direction === "rtl" ? -1 : 1;
  const move = { ArrowRight: rtl, ArrowLeft: -rtl, ArrowDown: side, ArrowUp: -side }[event.key];
  const all = buttons();
  const next = all[all.indexOf(document.activeElement) + move];
  if (move && next) { event.preventDefault(); next.focus(); }
});
