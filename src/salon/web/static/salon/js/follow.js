// Follows requests until they have ended, over dropped lines and restarts of the server.
import { state } from "./api.js";

const TAGS = ["queued", "started", "preview", "stage_done", "finished", "refused", "failed", "cancelled"];
export const FINAL = new Set(["finished", "refused", "failed", "cancelled"]);
const LONGEST_PAUSE = 8000;

/** Calls on(tag, data) for every update of request `id`, and on("lost") when the line drops; see below. */
export function follow(id, on) {
  const one = (data) => ({ request: id, data });
  return following([id], () => `/api/requests/${encodeURIComponent(id)}/updates`, one, (_id, tag, data) => on(tag, data));
}

/** The same for several as on(id, tag, data), in one stream: a browser opens only six connections to a house. */
export function followTogether(ids, on) {
  const address = (open) => `/station/machines/updates?${new URLSearchParams(open.map((id) => ["id", id]))}`;
  return following(ids, address, (told) => told, on);
}

/**
 * EventSource retries by itself only while the server answers 200; on any other answer it gives up, so we ask for the
 * states and open anew. `address(open)` is the stream of the requests that have not ended, `read` what one of its events
 * says: {request, data}. Returns a function that stops following.
 */
function following(ids, address, read, on) {
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
    source = new EventSource(address([...open]));
    for (const tag of TAGS) {
      source.addEventListener(tag, (event) => {
        pause = 500;
        const { request, data } = read(JSON.parse(event.data));
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
