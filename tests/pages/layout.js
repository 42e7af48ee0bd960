// What a reader would stumble over, a sentence each: text outside the screen, on other text, or cut by its box.
() => {
  const width = document.documentElement.clientWidth;
  const out = [];
  const whole = document.documentElement.scrollWidth;
  if (whole > width) out.push(`the page is ${whole} wide, the screen ${width}`);

  const some = (node, is) => {
    for (let n = node; n !== document.body; n = n.parentElement) if (is(getComputedStyle(n))) return true;
    return false;
  };
  const shown = { opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true };
  const read = (node) =>
    node.checkVisibility(shown) &&
    !node.closest("svg, .skip, option, noscript") &&
    !some(node, (style) => style.clipPath !== "none" || style.fontSize === "0px");
  const scrolls = (node) => some(node, (style) => ["auto", "scroll"].includes(style.overflowX));

  const lines = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const says = node.data.trim().slice(0, 30);
    if (!says || !read(node.parentElement)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) lines.push({ box, says, parent: node.parentElement });
  }
  for (const { box, says, parent } of lines) {
    if ((box.left < -1 || box.right > width + 1) && !scrolls(parent)) out.push(`outside: ${says}`);
  }
  for (const [place, one] of lines.entries()) {
    for (const other of lines.slice(place + 1)) {
      if (one.parent.contains(other.parent) || other.parent.contains(one.parent)) continue;
      const x = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const y = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      // lines set close to each other touch; one that covers half of another cannot be read
      if (x > 3 && y > 0.4 * Math.min(one.box.height, other.box.height)) out.push(`${one.says} lies on ${other.says}`);
    }
  }
  for (const node of document.querySelectorAll("main *")) {
    const clips = ["hidden", "clip"].includes(getComputedStyle(node).overflowX);
    if (clips && node.scrollWidth > node.clientWidth + 1 && read(node) && node.innerText) {
      out.push(`cut: ${node.innerText.slice(0, 30)}`);
    }
  }
  return out;
}
