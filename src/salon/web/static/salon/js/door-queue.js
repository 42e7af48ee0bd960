// Scans made without a line: kept on this device, sent later, each with the number it was made with, so that one which
// arrived after all counts once.
const KEPT = "salon-door-kept";

export function kept() {
  try { return JSON.parse(localStorage.getItem(KEPT)) ?? []; } catch { return []; }
}
function store(scans) { localStorage.setItem(KEPT, JSON.stringify(scans)); }

/** Keeps a scan. False if this device's store is full or closed: then somebody must write it down. */
export function keep(scan) {
  try {
    store([...kept(), { ...scan, at: scan.at ?? new Date().toISOString(), offline: true }]);
    return true;
  } catch { return false; }
}

function drop(nonce) { store(kept().filter((scan) => scan.nonce !== nonce)); }

/** Sends what is kept, the oldest first; `send` answers or throws. Stops at the first that cannot be sent; one that the
 * house has no time for now (an unknown code after many of them) waits, and the others go on. Two pages of one browser
 * take turns. */
export async function sendAll(send, on) {
  const work = async () => {
    let later = null;
    for (const scan of kept()) {
      let said;
      try { said = await send(scan); } catch (mishap) {
        if (mishap.status === 429) { later = mishap; continue; }
        if (mishap.status !== 400 && mishap.status !== 409) throw mishap;
        said = { answer: "lost", nonce: scan.nonce, code: scan.code, at: scan.at, message: mishap.message };
      }
      drop(scan.nonce);
      on(said, scan);
    }
    if (later) throw later;
  };
  return navigator.locks ? navigator.locks.request(KEPT, work) : work();
}
