// How long it is until a time, in the reader's words, kept true while the page is open.
const SPANS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" });

function tell() {
  for (const place of document.querySelectorAll("[data-until]")) {
    const left = (Date.parse(place.dataset.until) - Date.now()) / 1000;
    const [unit, span] = SPANS.find(([, seconds]) => Math.abs(left) >= seconds * (seconds === 86400 ? 2 : 1)) ?? SPANS[3];
    place.textContent = words.format(Math.trunc(left / span), unit);
    place.classList.toggle("soon", left < 3600);
  }
}
tell();
setInterval(tell, 1000);
