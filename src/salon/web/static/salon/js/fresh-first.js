// What the house's service workers share: the network comes first, the store answers when it is silent. `own` are the
// paths that are kept, `page` the one that is kept whatever its query says; `kept(store, fresh, key)` runs after each answer.
const PATIENCE = 4000;

self.freshFirst = ({ name, own, page, kept = async () => {} }) => {
  self.addEventListener("install", () => self.skipWaiting());
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener("fetch", (event) => {
    const url = new URL(event.request.url);
    if (event.request.method !== "GET" || url.origin !== location.origin) return;
    if (own.some((form) => form.test(url.pathname))) event.respondWith(answer(event.request, url));
  });

  async function answer(request, url) {
    const store = await caches.open(name);
    const key = url.pathname === page ? new Request(url) : request;
    try {
      const fresh = await Promise.race([
        fetch(request),
        new Promise((_, fail) => { setTimeout(() => fail(new Error("silent")), PATIENCE); }),
      ]);
      if (fresh.ok) await store.put(key, fresh.clone()).catch(() => {});
      await kept(store, fresh, key);
      if (fresh.status >= 500) throw new Error(String(fresh.status));
      return fresh;
    } catch (error) {
      const old = await store.match(key);
      if (old) return old;
      throw error;
    }
  }
};
