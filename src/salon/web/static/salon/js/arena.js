// The arena: waits for the pictures, and takes votes by keys. Everything works without it, only slower.
const duel = document.getElementById("duel");
const KEYS = { ArrowLeft: "a", 1: "a", ArrowRight: "b", 2: "b", 3: "tie", 4: "both_bad" };
const PAUSE = 700, LONGEST = 8000; // milliseconds between two questions

/** Asks how the battle stands until the pictures hang; a house that is away is asked less and less often. */
async function wait(pause = PAUSE) {
  await new Promise((go) => setTimeout(go, pause));
  try {
    const answer = await fetch(duel.dataset.ask, { cache: "no-store" });
    if (answer.status === 404) return location.reload();
    const { state, position } = await answer.json();
    if (state !== "drawing") return location.reload();
    const words = position ? duel.dataset.line.replace("{position}", position) : duel.dataset.now;
    const says = document.getElementById("says");
    if (says.textContent !== words) says.textContent = words;
    return wait();
  } catch {
    return wait(Math.min(pause * 2, LONGEST));
  }
}

/** Nobody votes on a picture that has not come yet: buttons and keys rest until both are there. */
function ready(votes) {
  const pictures = [...document.querySelectorAll(".pair img")];
  return pictures.every(({ complete, naturalWidth }) => complete && naturalWidth) && !votes.dataset.sent;
}

function listen(votes) {
  votes.addEventListener("submit", (event) => {
    if (!ready(votes)) return event.preventDefault();
    votes.dataset.sent = "1"; // two presses are one vote here already; the house sees to it anyway
  });
  addEventListener("keydown", (event) => {
    const winner = KEYS[event.key];
    if (!winner || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    const button = votes.querySelector(`[value="${winner}"]`);
    button.focus();
    button.click();
  });
}

if (duel?.dataset.state === "drawing") wait();
const votes = document.getElementById("votes");
if (votes) listen(votes);
// the back button brings the page as it was: ask the house instead, which knows whether the vote is in
addEventListener("pageshow", (event) => { if (event.persisted && duel) location.reload(); });

// Enter sends the words, as everywhere in the house
document.getElementById("prompt")?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.target.form.querySelector("[name=own]").click();
});
