// The live view: numbers every two seconds while the page is looked at. A lost line shows as such, and comes back.
const board = document.getElementById("pulse-board");
async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(board.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const pulse = await answer.json();
    for (const cell of board.querySelectorAll("[data-key]")) {
      const value = pulse[cell.dataset.key];
      cell.textContent = value === null ? "–" : typeof value === "number" && !Number.isInteger(value) ? value.toFixed(1) : value;
    }
    board.classList.remove("lost");
  } catch { board.classList.add("lost"); }
}
setInterval(look, 2000);
