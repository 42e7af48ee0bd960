// The panes of one frame. Their place is fixed before any image; images only ever fade in on top.
import { bring, offer } from "./pictures.js";
import { make, say } from "./strings.js";

const tag = (index) => {
  const node = make("span", { className: "tag", textContent: index + 1 });
  node.setAttribute("aria-hidden", "true");
  return node;
};

export class Panes {
  constructor(list) { this.list = list; }

  /** Puts up `count` empty panes. */
  lay(count) {
    this.list.dataset.count = count;
    this.list.dataset.side = Math.ceil(Math.sqrt(count));
    this.list.replaceChildren(...Array.from({ length: count }, (_, index) => make("li", { className: "pane" }, tag(index))));
  }
  busy(yes) { this.list.setAttribute("aria-busy", String(yes)); }
  pane(index) { return this.list.children[index]; }

  /** Decodes `src`, then fades it in over what the pane shows. A later image never loses against an earlier one. */
  async hang(index, src, order, dress) {
    const place = this.pane(index);
    if (!place) return;
    const image = make("img", { alt: "", decoding: "async", draggable: false });
    dress(image);
    await bring(image, src);
    if (this.pane(index) !== place || order < Number(place.dataset.order ?? -1)) return;
    place.dataset.order = order;
    place.classList.add("seen");
    const holder = place.querySelector("button, a") ?? place;
    const below = [...holder.querySelectorAll("img"), ...place.querySelectorAll(":scope > img")];
    holder.append(image);
    void image.offsetWidth; // the fade starts from the state just laid out
    image.classList.add("shown");
    setTimeout(() => below.forEach((old) => old.remove()), 260);
    return place;
  }

  /** A preview: what the image would be if it stopped now; `rough` falls from 1 to 0. */
  preview(index, src, order, rough) {
    return this.hang(index, src, order, (image) => {
      image.className = "rough";
      image.style.setProperty("--rough", rough.toFixed(3));
    }).catch(() => {});
  }

  /** No image: the house's filter kept it back. */
  withhold(index) {
    const place = this.pane(index);
    if (!place) return;
    place.querySelectorAll("img").forEach((image) => image.remove());
    place.classList.add("withheld");
    place.append(make("p", { className: "hint", textContent: say("withheld") }));
  }

  /** The finished image, inside what `wrap()` makes (a button, a link). Rejects if the image cannot be loaded; then a
      button in its place asks once more. */
  async finish(index, src, alt, wrap) {
    const place = this.pane(index);
    place?.querySelector(".again")?.remove();
    let same;
    try { same = await this.hang(index, src, 1e6, (image) => { image.alt = alt; }); } catch (error) {
      if (this.pane(index) === place) place?.append(offer(alt, () => this.finish(index, src, alt, wrap).catch(() => {})));
      throw error;
    }
    if (!same || same.querySelector("button, a")) return;
    same.classList.add("done");
    const holder = wrap();
    holder.append(...same.querySelectorAll("img"));
    same.append(holder);
  }
}

/** Arrow keys walk over the panes of `list` as they hang. */
export function walk(list) {
  list.addEventListener("keydown", (event) => {
    const side = Number(list.dataset.side ?? 3);
    const rtl = getComputedStyle(list).direction === "rtl" ? -1 : 1;
    const move = { ArrowRight: rtl, ArrowLeft: -rtl, ArrowDown: side, ArrowUp: -side }[event.key];
    const all = [...list.querySelectorAll(".pane button, .pane a")];
    const next = all[all.indexOf(document.activeElement) + move];
    if (move && next) { event.preventDefault(); next.focus(); }
  });
}
