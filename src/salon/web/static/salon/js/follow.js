// Follows one request until it ends, over dropped lines and restarts of the server.
import { state } from "./api.js";

const TAGS = ["queued", "started", "preview", "stage_done", "finished", "refused", "failed", "cancelled"];
const FINAL = new Set(["finished", "refused", "failed", "cancelled"]);
const LONGEST_PAUSE = 8000;

/**
 * Calls on(tag, data) for every update of request `id`, and on("lost") when the line drops. EventSource retries by
 * itself only while the server answers 200; on any other answer it gives up, so we ask for the state and open anew.
 * Returns a function that stops following.
 */
export function follow(id, on) {
  let source, timer, pause = 500, over = false;

  function stop() {
    over = true;
    clearTimeout(timer);
    source?.close();
    removeEventListener("online", now);
  }
  function tell(tag, data) {
    if (over) return;
    if (FINAL.has(tag)) stop();
    on(tag, data);
  }
  function open() {
    source = new EventSource(`/api/requests/${encodeURIComponent(id)}/updates`);
    for (const tag of TAGS) {
      source.addEventListener(tag, (event) => { pause = 500; tell(tag, JSON.parse(event.data)); });
    }
    source.onerror = () => { source.close(); if (!over) { tell("lost", {}); again(); } };
  }
  function again() {
    clearTimeout(timer);
    timer = setTimeout(retry, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
  async function retry() {
    try {
      const found = await state(id);
      if (over) return;
      if (FINAL.has(found.state)) tell(found.state, found); else open();
    } catch (mishap) {
      if (over) return;
      if (mishap.status === 404 || mishap.status === 403) tell("failed", { code: "gone", why: mishap.message, hint: mishap.hint });
      else again();
    }
  }
  const now = () => { if (source?.readyState === EventSource.CLOSED) { clearTimeout(timer); retry(); } };
  addEventListener("online", now);
  open();
  return stop;
}
