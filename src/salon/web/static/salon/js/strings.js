// Words of the page, translated by the server, and JSON that came with it.
const read = (id) => {
  const node = document.getElementById(id);
  return node ? JSON.parse(node.textContent) : {};
};
const strings = read("strings");

export const config = read("config");

/** The sentence `key` with {name} replaced by values; the key itself if the server did not send it. */
export function say(key, values = {}) {
  return (strings[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
export const has = (key) => key in strings;
export const $ = (id) => document.getElementById(id);

/** An element with properties and children. Text stays text: nothing here ever parses HTML. */
export function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}
