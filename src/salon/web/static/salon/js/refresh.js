// Loads the page again while something on it is being drawn, unless somebody is writing or does not look.
const drawing = document.querySelector("[data-refresh]");
const writing = () => document.activeElement?.matches("input, textarea, select");
setInterval(() => { if (!document.hidden && !writing()) location.reload(); }, 1000 * Number(drawing.dataset.refresh));
