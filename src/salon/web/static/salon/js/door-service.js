// Keeps the door's page, so that a phone that loads it anew without a line still scans.
importScripts("/static/salon/js/fresh-first.js");
const STORE = "salon-door-1";

self.freshFirst({
  name: STORE,
  page: "/door",
  own: [/^\/door$/, /^\/static\//],
  // a device that was revoked keeps nothing of the house
  kept: async (store, fresh, key) => { if (fresh.status === 403 && new URL(key.url).pathname === "/door") await store.delete(key); },
});

// the page tells what it is made of: its first load went past us
self.addEventListener("message", (event) => event.waitUntil(fill(event.data).then(() => event.source?.postMessage("kept"))));

async function fill(addresses) {
  const store = await caches.open(STORE);
  const missing = [];
  for (const address of addresses) if (!(await store.match(address))) missing.push(address);
  await Promise.all(missing.map((address) => store.add(address).catch(() => {})));
}
