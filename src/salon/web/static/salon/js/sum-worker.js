// A worker: finds the counter whose hash, behind salt and nonce, begins as asked (altcha's SHA-256 challenge at cost 1).
// SHA-256 (FIPS 180-4) is written out because a page without https, as in a venue's network, has no crypto.subtle. What
// is hashed fits in one block: 16 bytes of salt, 16 of nonce, 4 of counter.
const K = new Int32Array(64);
const START = new Int32Array(8);
for (let n = 2, found = 0; found < 64; n += 1) {
  let prime = true;
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) { prime = false; break; }
  if (!prime) continue;
  if (found < 8) START[found] = fraction(Math.sqrt(n));
  K[found] = fraction(Math.cbrt(n));
  found += 1;
}
function fraction(x) { return ((x - Math.floor(x)) * 0x100000000) | 0; }

const w = new Int32Array(64);
const turn = (x, n) => (x >>> n) | (x << (32 - n));

/** The hash of one padded block [16 words], into `out` [8 words]. */
function hash(block, out) {
  w.set(block);
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15], y = w[i - 2];
    w[i] = (w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) | 0;
  }
  let [a, b, c, d, e, f, g, h] = START;
  for (let i = 0; i < 64; i += 1) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => { out[i] = (START[i] + word) | 0; });
}

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const hex = (words) => Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");

/** {counter, derivedKey}, or null where the challenge is not of this kind. */
function solve({ algorithm, cost, salt, nonce, keyPrefix, keyLength }) {
  if (algorithm !== "SHA-256" || cost !== 1 || keyLength !== 32) return null;
  const block = new Uint8Array(64);
  block.set(bytes(salt), 0);
  block.set(bytes(nonce), 16);
  block[36] = 0x80;
  block[62] = (36 * 8) >> 8;
  block[63] = (36 * 8) & 255;
  const view = new DataView(block.buffer);
  const words = Int32Array.from({ length: 16 }, (_, i) => view.getInt32(i * 4));
  const found = new Int32Array(8);
  const first = parseInt(keyPrefix.slice(0, 8), 16) | 0;
  for (let counter = 0; counter < 10_000_000; counter += 1) {
    words[8] = counter;
    hash(words, found);
    if (found[0] === first && hex(found).startsWith(keyPrefix)) return { counter, derivedKey: hex(found) };
  }
  return null;
}

onmessage = ({ data }) => postMessage(solve(data));
