// CLIP's word on finished pictures. Where it has looked at all of them the one nearest to the words is marked, and the
// place of each can be read; else nothing is said.
import { make, say } from "./strings.js";

/** Marks `panes` by the scores of `images`; the index of the nearest, or null where there is nothing to say. */
export function rank(panes, images) {
  const seen = images.filter(({ withheld }) => !withheld);
  if (seen.length < 2 || !seen.every(({ score }) => Number.isFinite(score))) return null;
  const order = [...seen].sort((a, b) => b.score - a.score);
  order.forEach(({ index }, place) => {
    const holder = panes.pane(index)?.querySelector("button, a");
    if (!holder) return;
    const words = say("clip_rank", { rank: place + 1, count: seen.length });
    holder.setAttribute("aria-label", `${holder.getAttribute("aria-label")}. ${words}`);
    holder.title = words;
    if (place > 0) return;
    holder.title = `${words} ${say("clip_knows")}`;
    holder.setAttribute("aria-description", say("clip_knows"));
    holder.append(make("span", { className: "pick", textContent: say("clip_pick") }));
  });
  return order[0].index;
}
