// A booth: nobody's own machine. After a while without a touch it asks, counts down, and begins anew as another visitor.
// A volunteer unlocks it by holding the house's sign for three seconds, and by the booths' PIN. Links lead only into the house.
const dialog = document.getElementById("idle");
const left = document.getElementById("idle-left");
const IDLE = Number(document.body.dataset.idle) * 1000;
const COUNT = 20;
let since = performance.now();
let counting = 0;

function touched() { since = performance.now(); if (dialog.open) stay(); }
function stay() { clearInterval(counting); counting = 0; since = performance.now(); if (dialog.open) dialog.close(); }
function ask() {
  let seconds = COUNT;
  left.textContent = String(seconds);
  dialog.showModal();
  counting = setInterval(() => {
    seconds -= 1;
    left.textContent = String(Math.max(0, seconds));
    if (seconds <= 0) { clearInterval(counting); leave(); }
  }, Math.min(1000, IDLE / 2));
}
function leave() {
  // without a line the page stays as it is: an error page would be the end of the booth
  fetch("/healthz", { cache: "no-store" }).then((answer) => { if (answer.ok) document.getElementById("idle-leave").submit(); else stay(); }, stay);
}
for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(kind, touched, { passive: true });
document.getElementById("idle-stay").onclick = stay;
setInterval(() => {
  const busy = document.querySelector("[aria-busy=true]");
  if (busy) since = performance.now();
  const fresh = location.pathname === "/station" && ["", "?kiosk=1"].includes(location.search) && !document.querySelector("#grid img");
  if (!dialog.open && !fresh && performance.now() - since > IDLE) ask();
}, Math.min(1000, IDLE / 4));

addEventListener("contextmenu", (event) => event.preventDefault());
addEventListener("click", (event) => {
  const link = event.target.closest?.("a");
  if (!link) return;
  const outside = new URL(link.href, location.href).origin !== location.origin;
  if (outside || link.hasAttribute("download")) event.preventDefault();
});
const sign = document.querySelector(".wordmark");
let held = 0;
sign?.addEventListener("pointerdown", () => { held = setTimeout(() => { location.href = "/backstage/unlock"; }, 3000); });
for (const kind of ["pointerup", "pointerleave", "pointercancel"]) sign?.addEventListener(kind, () => clearTimeout(held));

// what the house takes off every screen leaves this one too
function listen() {
  const stream = new EventSource("/wall/updates");
  stream.addEventListener("removed", (event) => {
    const { image } = JSON.parse(event.data);
    for (const shown of document.querySelectorAll("img")) if (shown.src.includes(image)) { shown.removeAttribute("src"); shown.alt = ""; }
  });
  // a browser gives up for good after some answers: begin anew
  stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000); };
}
listen();

// the way home, once there is something to take along
const home = document.getElementById("take-home");
if (home) new MutationObserver(() => {
  const done = document.querySelector('#grid[aria-busy="false"] img');
  const code = home.querySelector("img");
  if (done && home.hidden) { code.src = `${code.dataset.src}?${Date.now()}`; home.hidden = false; }
}).observe(document.getElementById("grid"), { attributes: true, attributeFilter: ["aria-busy"] });
