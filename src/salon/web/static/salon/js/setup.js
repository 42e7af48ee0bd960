// The set-up: what a browser knows (its time zone), one more row, a wall as it will look, a file that is too large.

const zone = document.querySelector("#time_zone");
const here = document.querySelector("#zone-here");
if (zone && here) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = [...document.querySelectorAll("#zones option")].some((option) => option.value === own);
  if (known && own !== zone.value) {
    const button = here.querySelector("button");
    button.textContent = here.dataset.words.replace("{zone}", own);
    button.addEventListener("click", () => { zone.value = own; zone.focus(); here.hidden = true; });
    here.hidden = false;
  }
}

const rows = document.querySelector("#rooms");
document.querySelector("#more-rooms")?.addEventListener("click", () => {
  const last = rows.querySelector(".spare:last-of-type");
  const more = last.cloneNode(true);
  for (const input of more.querySelectorAll("input")) {
    input.value = "";
    if (input.id) {
      const label = more.querySelector(`label[for="${input.id}"]`);
      input.id = `more-${rows.children.length}-${input.name}`;
      label.htmlFor = input.id;
    }
  }
  rows.append(more);
  more.querySelector("[name=room_name]").focus();
});

const colour = document.querySelector("#colour");
if (colour) {
  const own = document.querySelector("input[name=own][value='1']");
  const set = (wall) => {
    const style = document.documentElement.style;
    for (const name of ["--wall", "--wall-deep"]) wall ? style.setProperty(name, wall) : style.removeProperty(name);
  };
  colour.addEventListener("input", () => { own.checked = true; set(colour.value); });
  for (const radio of document.querySelectorAll("input[name=own]")) {
    radio.addEventListener("change", () => set(own.checked ? colour.value : ""));
  }
}

const logo = document.querySelector("#logo-form");
logo?.addEventListener("submit", (event) => {
  const file = logo.querySelector("input[type=file]").files[0];
  if (!file || file.size <= Number(logo.dataset.most) || event.submitter?.name === "none") return;
  event.preventDefault();
  const wrong = document.querySelector("#logo-wrong");
  wrong.setAttribute("role", "alert");
  wrong.textContent = logo.dataset.words;
});
