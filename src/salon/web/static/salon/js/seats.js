// A place's own page: counts down, and looks now and then whether something has changed.
const standing = document.getElementById("standing");
const countdown = document.getElementById("countdown");
const began = Date.now();
const seconds = Number(standing.dataset.seconds);

function tick() {
  const left = Math.max(0, seconds - Math.floor((Date.now() - began) / 1000));
  const [hours, minutes] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60)];
  const clock = [minutes, left % 60].map((part) => String(part).padStart(2, "0")).join(":");
  countdown.textContent = hours ? `${hours}:${clock}` : clock;
  if (left === 0) look();
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(standing.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const now = await answer.json();
    if (now.state !== standing.dataset.state || String(now.rank) !== standing.dataset.rank) location.reload();
  } catch { /* no network: the page stays as it is, and looks again */ }
}

if (countdown && seconds) { tick(); setInterval(tick, 1000); }
if (standing.dataset.state === "waiting") setInterval(look, 15000);
else if (standing.dataset.state === "booked" || countdown) document.addEventListener("visibilitychange", look);
// the back button brings the page as it was: ask the house instead
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
