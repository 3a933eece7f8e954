// Building and updating elements. Text always becomes text nodes, so nothing a person wrote is ever parsed as HTML.

/** `on` holds event handlers; attributes that are null, undefined or false are left out. */
export function h(tag, { on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  for (const [type, handler] of Object.entries(on)) element.addEventListener(type, handler);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Makes the children of `parent` follow `rows`, keeping the element of a row whose key stays. */
export function keyed(parent, rows, { create, update }) {
  const known = new Map(Array.from(parent.children, (child) => [child.dataset.key, child]));
  const wanted = new Set(rows.map((row) => row.key));
  for (const [key, element] of known) if (!wanted.has(key)) element.remove();
  let place = parent.firstElementChild;
  for (const row of rows) {
    const element = known.get(row.key) ?? create(row);
    element.dataset.key = row.key;
    update(element, row);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
}

/** Runs `work` once for many calls, before the next paint, or soon when the page is hidden and does not paint. */
export function coalesced(work) {
  let isDue = false;
  const run = () => { isDue = false; work(); };
  return () => {
    if (isDue) return;
    isDue = true;
    if (document.hidden) setTimeout(run, 0);
    else requestAnimationFrame(run);
  };
}
