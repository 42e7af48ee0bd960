// A ticket of one's own, for a browser that has none yet: the house gives one for a small sum. It is begun when somebody
// first does something on the page, or is about to send; who only looks does no sum. Without it a visitor shares what the
// house keeps for strangers, and everything else works.
const line = document.getElementById("ticket-line");
const LONGEST = 6000; // milliseconds that a press waits

async function work() {
  const { sum } = await import("./sum.js");
  const solved = await sum(line.dataset);
  if (!solved) return;
  const headers = { "Content-Type": "application/json" };
  await fetch("/api/ticket", { method: "POST", body: JSON.stringify({ sum: solved }), headers });
}
let over = !line;
let working;
function begin() {
  working ??= line ? work().catch(() => {}).finally(() => { over = true; }) : Promise.resolve();
  return working;
}

/** Settled when the ticket is there, or not to be had: what is sent before would be a stranger's. */
export const ticket = () => Promise.race([begin(), new Promise((go) => setTimeout(go, LONGEST))]);

async function hold(event) {
  if (over || event.defaultPrevented || !event.target.matches("[data-ticket]")) return;
  event.preventDefault();
  await ticket();
  over = true;
  event.target.requestSubmit(event.submitter);
}
if (line) {
  document.addEventListener("submit", hold);
  for (const deed of ["pointerdown", "keydown", "focusin"]) addEventListener(deed, begin, { once: true });
}
