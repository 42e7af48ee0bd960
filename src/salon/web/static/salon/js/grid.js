// The great frame of the station: panes that open the viewer.
import { $, make, say } from "./strings.js";
import { Panes, walk } from "./panes.js";
import * as pick from "./pick.js";

const list = $("grid");
const panes = new Panes(list);
walk(list);

export const lay = (count) => panes.lay(count);
export const busy = (yes) => panes.busy(yes);
export const preview = (...what) => panes.preview(...what);
export const withhold = (index) => panes.withhold(index);
export const rank = (images) => pick.rank(panes, images);
export const buttons = () => [...list.querySelectorAll("button")];

/** The finished image; its pane becomes a button that opens it. Rejects if the image cannot be loaded. */
export function finish(index, src, prompt, open) {
  const number = index + 1;
  return panes.finish(index, src, say("alt", { number, prompt }), () => {
    const button = make("button", { type: "button", onclick: () => open(index) });
    button.setAttribute("aria-label", say("open_picture", { number, prompt }));
    button.setAttribute("aria-haspopup", "dialog");
    return button;
  });
}
