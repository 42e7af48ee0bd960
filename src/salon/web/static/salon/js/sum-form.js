// Does the small sum of a form (templates/_sum.html) while somebody fills it in. Whatever goes wrong with it, the form can
// be sent all the same: the house takes it when it has been open for a while.
import { sum, within } from "./sum.js";

const line = document.getElementById("sum-line");
const form = line?.closest("form");
const LONGEST = 6000; // milliseconds that a press waits

/** Without a code, and, where only an address asks for it (`data-field`), with one. */
const needed = () => !form.elements.ticket?.value && (!line.dataset.field || form.elements[line.dataset.field].value.trim());

async function work() {
  line.textContent = line.dataset.doing;
  form.elements.sum.value = await sum(line.dataset);
  line.textContent = form.elements.sum.value ? line.dataset.done : "";
}
let doing = null;
function begin() {
  if (doing || !needed()) return;
  doing = work().catch(() => { line.textContent = ""; });
}

async function send(event) {
  begin();
  if (!doing || !needed() || form.elements.sum.value || form.dataset.sending) return;
  event.preventDefault();
  form.dataset.sending = "1";
  await within(LONGEST, doing);
  form.submit();
}

if (form) {
  begin();
  form.addEventListener("input", begin);
  form.addEventListener("submit", send);
  // coming back by the back button: this press has been used, and so has its sum
  addEventListener("pageshow", (event) => { if (event.persisted || form.dataset.sending) location.reload(); });
}
