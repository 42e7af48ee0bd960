// Live numbers of the pools on the page, every three seconds while it is looked at.
const board = document.getElementById("numbers");

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(board.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const found = await answer.json();
    for (const pool of board.querySelectorAll("[data-pool]")) {
      const count = found[pool.dataset.pool] ?? {};
      for (const cell of pool.querySelectorAll("[data-key]")) cell.textContent = count[cell.dataset.key] ?? "–";
    }
    board.classList.remove("lost");
  } catch { board.classList.add("lost"); }
}
if (board) setInterval(look, 3000);
