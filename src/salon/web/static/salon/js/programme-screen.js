// Now and next for a wall: looks again every half minute. While the house is away the last good look stays, and says how
// old it is by its clock.
const root = document.getElementById("now-and-next");
const template = document.getElementById("item");

function item(told) {
  const made = template.content.firstElementChild.cloneNode(true);
  for (const part of made.querySelectorAll("[data-key]")) part.textContent = told[part.dataset.key];
  return made;
}

function show(told) {
  for (const part of root.querySelectorAll(":scope > header [data-key]")) part.textContent = told[part.dataset.key];
  for (const list of root.querySelectorAll("[data-list]")) list.replaceChildren(...told[list.dataset.list].map(item));
  for (const none of root.querySelectorAll("[data-none]")) none.hidden = told[none.dataset.none].length > 0;
}

let last = "";
async function look() {
  try {
    const answer = await fetch(root.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    if (text !== last) show(JSON.parse(text));
    last = text;
    root.classList.remove("lost");
  } catch { root.classList.add("lost"); }
}
setInterval(look, 1000 * Number(root.dataset.seconds));
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
