// Keeps what the wall needs, so that a screen that starts while the house is away shows the last exhibition and no
// browser's error.
importScripts("/static/salon/js/fresh-first.js");
const MOST = 400;

self.freshFirst({
  name: "salon-wall-1",
  page: "/wall",
  // not the list of works: an old one would bring back what has come down; the page keeps its own
  own: [/^\/wall$/, /^\/static\//, /^\/walls\/[0-9a-f]+\.css$/, /^\/works\/[0-9a-f]+(\.png|\.webp|\/qr\.svg)$/],
  kept: async (store, fresh) => { if (fresh.ok) trim(store); },
});

async function trim(store) {
  const keys = await store.keys();
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST))) {
    if (/^\/works\//.test(new URL(key.url).pathname)) await store.delete(key);
  }
}
