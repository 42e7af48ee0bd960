// Does the small sum while somebody types their name. Whatever goes wrong with it, the form can be sent all the same: the
// house lets it in when it has been open for a while.
import "./call-until.js";

const form = document.getElementById("begin");
const line = document.getElementById("sum-line");
const PATIENCE = 20_000;

async function sum() {
  const answer = await fetch(form.dataset.sum, { cache: "no-store" });
  if (!answer.ok) return;
  const challenge = await answer.json();
  line.textContent = form.dataset.doing;
  const worker = new Worker(form.dataset.worker, { type: "module" });
  const solution = await new Promise((done) => {
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = () => done(null);
    setTimeout(() => done(null), PATIENCE);
    worker.postMessage(challenge.parameters);
  });
  worker.terminate();
  line.textContent = solution ? form.dataset.done : "";
  if (solution) form.elements.sum.value = btoa(JSON.stringify({ challenge, solution }));
}

/** A press waits for the sum, but not for long. */
async function send(event) {
  if (form.elements.sum.value || form.elements.ticket.value || form.dataset.sending) return;
  event.preventDefault();
  form.dataset.sending = "1";
  await Promise.race([doing, new Promise((done) => setTimeout(done, 6000))]);
  form.submit();
}

let doing = Promise.resolve();
if (form && !form.elements.ticket.value) {
  doing = sum().catch(() => { line.textContent = ""; });
  form.addEventListener("submit", send);
  // coming back by the back button: this press has been used, and so has its sum
  addEventListener("pageshow", (event) => { if (event.persisted || form.dataset.sending) location.reload(); });
}
