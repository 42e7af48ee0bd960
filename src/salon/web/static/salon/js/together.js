// Follows several requests in one stream: a browser opens only six connections to a house, whatever the number of tabs.
import { state } from "./api.js";

const TAGS = ["queued", "started", "preview", "stage_done", "finished", "refused", "failed", "cancelled"];
export const FINAL = new Set(["finished", "refused", "failed", "cancelled"]);
const LONGEST_PAUSE = 8000;

/**
 * Calls on(id, tag, data) for every update of the requests `ids` until each has ended, and on(id, "lost") when the line
 * drops; then it asks for their states and opens anew. Returns a function that stops following.
 */
export function followTogether(ids, on) {
  const open = new Set(ids);
  let source, timer, pause = 500, over = false;

  function stop() {
    over = true;
    clearTimeout(timer);
    source?.close();
    removeEventListener("online", now);
  }
  function tell(id, tag, data) {
    if (over || !open.has(id)) return;
    if (FINAL.has(tag)) open.delete(id);
    if (!open.size) stop();
    on(id, tag, data);
  }
  function listen() {
    const query = new URLSearchParams([...open].map((id) => ["id", id]));
    source = new EventSource(`/station/machines/updates?${query}`);
    for (const tag of TAGS) {
      source.addEventListener(tag, (event) => {
        pause = 500;
        const { request, data } = JSON.parse(event.data);
        tell(request, tag, data);
      });
    }
    source.onerror = () => {
      source.close();
      if (over) return;
      for (const id of open) tell(id, "lost", {});
      again();
    };
  }
  function again() {
    clearTimeout(timer);
    timer = setTimeout(retry, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
  async function retry() {
    let away = false;
    for (const id of [...open]) {
      try {
        const found = await state(id);
        if (FINAL.has(found.state)) tell(id, found.state, found);
      } catch (mishap) {
        if (mishap.status === 404 || mishap.status === 403) tell(id, "failed", { code: "gone", why: mishap.message, hint: mishap.hint });
        else away = true;
      }
      if (over) return;
    }
    if (away) again(); else listen();
  }
  const now = () => { if (source?.readyState === EventSource.CLOSED) { clearTimeout(timer); retry(); } };
  addEventListener("online", now);
  if (open.size) listen();
  return stop;
}
