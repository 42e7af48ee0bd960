// Stars without leaving the page: the form works as it is, and this saves a reload. If the house does not answer, the
// form is sent after all, and the browser says so.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest(".star");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.dataset.busy) return;
  button.dataset.busy = "1";
  const on = button.value === "1";
  const body = new URLSearchParams(new FormData(form));
  body.set("on", button.value);
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    if (answer.type !== "opaqueredirect") throw new Error(String(answer.status));
    for (const same of document.querySelectorAll(`form.star[action="${form.getAttribute("action")}"] button`)) {
      same.setAttribute("aria-pressed", String(on));
      same.value = on ? "0" : "1";
    }
  } catch {
    const sent = document.createElement("input");
    sent.type = "hidden";
    sent.name = "on";
    sent.value = button.value;
    form.append(sent);
    form.submit();
  }
  delete button.dataset.busy;
});
