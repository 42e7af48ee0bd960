// One work: copy its recipe; draw it again and compare pixel by pixel.
import { $, say } from "./strings.js";
import * as api from "./api.js";
import { follow } from "./follow.js";

$("copy").onclick = async () => {
  try {
    await navigator.clipboard.writeText($("recipe-json").textContent.trim());
    $("copied").textContent = say("copied");
  } catch {
    getSelection().selectAllChildren($("recipe-json"));
    $("copied").textContent = say("copy_failed");
  }
};

async function pixels(source) {
  const canvas = new OffscreenCanvas(source.width, source.height);
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  brush.drawImage(source, 0, 0);
  return brush.getImageData(0, 0, source.width, source.height).data;
}
const load = async (path, cache) => createImageBitmap(await (await fetch(path, { cache })).blob());

/** How two images differ: number of pixels, and the largest difference of a channel in levels of 255. */
function difference(a, b) {
  let different = 0, levels = 0;
  for (let at = 0; at < a.length; at += 4) {
    const far = Math.max(...[0, 1, 2].map((channel) => Math.abs(a[at + channel] - b[at + channel])));
    if (far) different += 1;
    levels = Math.max(levels, far);
  }
  return { different, levels, pixels: (a.length / 4).toLocaleString(document.documentElement.lang) };
}
const tell = (words) => { $("verdict").textContent = words; };
function judge(before, after) {
  const found = difference(before, after);
  tell(say(found.different === 0 ? "again_same" : found.levels <= 1 ? "again_close" : "again_other", found));
}

const again = $("again");
again.onclick = async (event) => {
  event.preventDefault();
  if (again.getAttribute("aria-disabled")) return;
  again.setAttribute("aria-disabled", "true");
  const path = $("work")?.getAttribute("src");
  const done = (mishap) => { again.removeAttribute("aria-disabled"); if (mishap) tell(`${mishap.message} ${mishap.hint ?? ""}`); };
  tell(say("again_wait"));
  try {
    const before = path && await pixels(await load(path, "force-cache"));
    const { id } = await api.again(again.dataset.image);
    follow(id, async (tag, data) => {
      if (tag === "preview") tell(say("step", data));
      if (tag === "lost") tell(say("reconnecting"));
      if (tag === "finished") {
        if (!path) return location.reload();
        judge(before, await pixels(await load(path, "reload")));
        done();
      }
      if (["refused", "failed", "cancelled"].includes(tag)) done({ message: data.why ?? data.message ?? say("cancelled"), hint: data.hint });
    });
  } catch (mishap) { done(mishap); }
};
