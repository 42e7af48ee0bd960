// Reads QR codes where the browser cannot: in a worker, so that the page stays alive under the thumb.
import "./vendor/jsqr.js"; // sets self.jsQR

self.onmessage = ({ data: { id, pixels, width, height, hard } }) => {
  const found = self.jsQR(new Uint8ClampedArray(pixels), width, height, { inversionAttempts: hard ? "attemptBoth" : "dontInvert" });
  self.postMessage({ id, text: found?.data ?? "" });
};
