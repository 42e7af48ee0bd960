// The camera, and reading codes: by the browser itself where it can, else by a decoder in a worker.

/** Side of the square that is looked at, in pixels: a ticket's code has 29 modules, so a third of it is enough. */
const SIDE = 480;
const PAUSE = 90;
let native = null;
let worker = null;
let asked = 0;
const waiting = new Map();
const canvas = document.createElement("canvas");

async function reader() {
  if (native !== null) return native;
  native = false;
  try {
    if ((await globalThis.BarcodeDetector?.getSupportedFormats())?.includes("qr_code")) native = new BarcodeDetector({ formats: ["qr_code"] });
  } catch { /* then the worker reads */ }
  return native;
}

function decoder() {
  if (!worker) {
    worker = new Worker(new URL("./door-decoder.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data: { id, text } }) => { waiting.get(id)?.(text); waiting.delete(id); };
    worker.onerror = () => { for (const done of waiting.values()) done(""); waiting.clear(); };
  }
  return worker;
}

/** The text in what was drawn on the canvas, or "". `hard`: takes longer, finds light codes on dark, too. */
async function look(hard) {
  const own = await reader();
  if (own) return (await own.detect(canvas).catch(() => []))[0]?.rawValue ?? "";
  const { data, width, height } = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height);
  return new Promise((done) => {
    asked += 1;
    waiting.set(asked, done);
    decoder().postMessage({ id: asked, pixels: data.buffer, width, height, hard }, [data.buffer]);
  });
}

function draw(source, width, height, side) {
  const scale = Math.min(1, side / Math.min(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(source, 0, 0, canvas.width, canvas.height);
}

/** The code in a photograph, or "". Tried at three sizes: a code may fill it or stand in a corner. */
export async function readFile(file) {
  const picture = await createImageBitmap(file);
  for (const side of [600, 1100, 320]) {
    draw(picture, picture.width, picture.height, side);
    const text = await look(true);
    if (text) return text;
  }
  return "";
}

/** Whether a page at this address may use a camera at all: browsers demand HTTPS, or this very machine. */
export const possible = () => Boolean(globalThis.isSecureContext && navigator.mediaDevices?.getUserMedia);

/** Whether the person has allowed it before, so that it may start by itself. */
export async function allowed() {
  try { return (await navigator.permissions.query({ name: "camera" })).state === "granted"; } catch { return false; }
}

/** Starts the camera and calls on(text) for each code that it sees, again and again while it sees it. Rejects as
 * getUserMedia does. Returns what the camera can: `stop()`, `light(on)` or null. */
export async function watch(video, on) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } });
  const [track] = stream.getVideoTracks();
  video.srcObject = stream;
  await video.play().catch(() => {});
  let over = false;
  const next = () => { if (!over) setTimeout(turn, PAUSE); };
  async function turn() {
    if (over) return;
    if (!document.hidden && video.readyState >= 2 && video.videoWidth) {
      draw(video, video.videoWidth, video.videoHeight, SIDE);
      const text = await look(false);
      if (text && !over) on(text);
    }
    next();
  }
  next();
  const torch = track.getCapabilities?.().torch;
  return {
    track,
    stop() { over = true; track.stop(); video.srcObject = null; },
    light: torch ? (lit) => track.applyConstraints({ advanced: [{ torch: lit }] }) : null,
  };
}
