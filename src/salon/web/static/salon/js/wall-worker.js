// Keeps what the wall needs, so that a screen that starts while the house is away shows the last exhibition and no
// browser's error. The network comes first; the store answers when it is silent.
const STORE = "salon-wall-1";
const MOST = 400;
const PATIENCE = 4000;
/** Not the list of works: an old one would bring back what has come down. The page keeps its own. */
const OURS = [/^\/wall$/, /^\/static\//, /^\/works\/[0-9a-f]+(\.png|\/qr\.svg)$/];

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (OURS.some((form) => form.test(url.pathname))) event.respondWith(answer(event.request, url));
});

async function answer(request, url) {
  const store = await caches.open(STORE);
  const key = url.pathname === "/wall" ? new Request(url) : request;
  try {
    const fresh = await Promise.race([
      fetch(request),
      new Promise((_, fail) => { setTimeout(() => fail(new Error("silent")), PATIENCE); }),
    ]);
    if (fresh.ok) { await store.put(key, fresh.clone()).catch(() => {}); trim(store); }
    if (fresh.status >= 500) throw new Error(String(fresh.status));
    return fresh;
  } catch (error) {
    const old = await store.match(key);
    if (old) return old;
    throw error;
  }
}

async function trim(store) {
  const keys = await store.keys();
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST))) {
    if (/^\/works\//.test(new URL(key.url).pathname)) await store.delete(key);
  }
}
