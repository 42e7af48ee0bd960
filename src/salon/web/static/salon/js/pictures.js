// Pictures that do not arrive are fetched again: a few times by themselves, ever later, and at once when the network is
// back; then a button in their place does it, so that nobody has to load the page anew (a booth cannot).
const PAUSES = [400, 1600, 5000];
/** A picture that neither comes nor fails is given up after so long. */
const PATIENCE = 8000;
const words = document.body.dataset.again ?? "";

function pause(milliseconds) {
  return new Promise((go) => {
    const timer = setTimeout(go, milliseconds);
    addEventListener("online", () => { clearTimeout(timer); go(); }, { once: true });
  });
}
function arrives(image, src) {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error("late")), PATIENCE); });
  image.src = src;
  return Promise.race([image.decode(), late]).finally(() => clearTimeout(timer));
}

/** Loads and decodes `src` into an image that is on no page yet. Rejects when every try has failed. */
export async function bring(image, src, pauses = PAUSES) {
  for (const after of src.startsWith("data:") ? [] : pauses) {
    try { return await arrives(image, src); } catch { await pause(after); }
  }
  return arrives(image, src);
}

/** The button that asks once more; `picture` says which. */
export function offer(picture, go) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "again", textContent: words });
  if (picture) button.setAttribute("aria-label", `${words}: ${picture}`);
  button.onclick = (event) => { event.preventDefault(); button.remove(); go(); };
  return button;
}

const tries = new WeakMap();
const offers = new WeakMap();

async function failed(image) {
  const src = image.getAttribute("src");
  if (!src || src.startsWith("data:")) return;
  const count = tries.get(image) ?? 0;
  tries.set(image, count + 1);
  if (count < PAUSES.length) {
    await pause(PAUSES[count]);
    if (image.isConnected && image.getAttribute("src") === src) image.src = src;
  } else if (!offers.get(image)?.isConnected) {
    const button = offer(image.alt, () => { tries.delete(image); image.src = image.getAttribute("src"); });
    offers.set(image, button);
    (image.closest("a, button") ?? image).after(button); // a button within a link is none
  }
}
function came(image) {
  tries.delete(image);
  offers.get(image)?.remove();
}
const is = (what) => what instanceof HTMLImageElement;
if (words) { // a page that has no words for it (the wall) sees to its pictures itself
  document.addEventListener("error", ({ target }) => { if (is(target)) failed(target); }, true);
  document.addEventListener("load", ({ target }) => { if (is(target)) came(target); }, true);
  // what failed before this script ran
  for (const image of document.images) if (image.complete && image.getAttribute("src") && !image.naturalWidth) failed(image);
}
