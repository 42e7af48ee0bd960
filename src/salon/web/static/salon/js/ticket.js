// A ticket of one's own, for a browser that has none yet: the house gives one for a small sum, done while somebody reads
// the page. Without it a visitor shares what the house keeps for strangers, and everything else works.
import { sum, within } from "./sum.js";

const line = document.getElementById("ticket-line");
const LONGEST = 6000; // milliseconds that a press waits

async function work() {
  const solved = await sum(line.dataset);
  if (!solved) return;
  const headers = { "Content-Type": "application/json" };
  await fetch("/api/ticket", { method: "POST", body: JSON.stringify({ sum: solved }), headers });
}
let over = !line;
const working = line ? work().catch(() => {}).finally(() => { over = true; }) : Promise.resolve();

/** Settled when the ticket is there, or not to be had: what is sent before would be a stranger's. */
export const ticket = () => within(LONGEST, working);

async function hold(event) {
  if (over || event.defaultPrevented || !event.target.matches("[data-ticket]")) return;
  event.preventDefault();
  await ticket();
  over = true;
  event.target.requestSubmit(event.submitter);
}
if (line) document.addEventListener("submit", hold);
