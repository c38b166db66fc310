// The packed data, and small helpers. Texts of clients reach the page as text nodes only.

/** Return an element with attributes and children; a child is an element or a text. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const byId = (id) => document.getElementById(id);
const many = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** Return the data of the page, or null for a browser that cannot unpack it. */
async function unpacked() {
  if (typeof DecompressionStream === "undefined") return null;
  const bytes = Uint8Array.from(atob(byId("packed").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/** Put names in the place of numbers, and index the cells by scenario and client. */
function modelOf(data) {
  const text = (number) => data.texts[number];
  const scenarios = data.scenarios.map(([id, dialect, title, file, source, about, priority], number) => ({
    number, id: text(id), dialect: text(dialect), title: text(title), file: text(file),
    source: source.map(text), about: about.map(text), priority,
    cells: new Map(), skips: new Map(),
  }));
  const cells = data.cells.map((cell) => {
    const scenario = scenarios[cell.s], client = data.clients[cell.c];
    const cases = Object.fromEntries(Object.entries(cell.cases).map(([mark, list]) => [mark, data.lists[list]]));
    const causes = (cell.causes ?? []).map((cause) => ({ ...cause, at: data.lists[cause.at] }));
    const whole = { ...cell, scenario, client, cases, causes };
    scenario.cells.set(cell.c, whole);
    return whole;
  });
  for (const [scenario, client, reason] of data.skips) scenarios[scenario].skips.set(client, text(reason));
  return { ...data, text, scenarios, cells, numbers: new Map(data.clients.map((c, n) => [c.name, n])) };
}

const VARIATION = /^(.*)\/([^/@]*)@([^@]*)$/;

/** Return scenario id, variation and client of a case's id; null for no such id. */
function partsOf(id) {
  const found = VARIATION.exec(id);
  return found && { scenario: found[1], variation: found[2], client: found[3] };
}

/** Return the address of a case inside the page, as readable as it can be. */
function addressOf(id) {
  return `#case=${encodeURIComponent(id).replace(/%(2F|40|3D|2C)/g, decodeURIComponent)}`;
}

/** Return a mark's sign, drawn in its colour and shape. */
function signOf(model, mark, part = false) {
  return el("span", { class: `sign m-${mark}${part ? " part" : ""}`, "aria-hidden": "true" }, model.signs[mark][0]);
}

/** Return the sign of a cell: in outline where the wire as recorded is right. */
function cellSign(model, cell) {
  const known = cell.mark === "known" && cell.causes.find((cause) => cause.known !== undefined);
  return known ? causeSign(model, known) : signOf(model, cell.mark, !cell.whole && cell.mark !== "pass");
}

/** Return the sign of one cause; a known one has the colour of its level. */
function causeSign(model, cause) {
  if (cause.known === undefined) return signOf(model, cause.level);
  const sign = signOf(model, "known");
  sign.classList.add(`k-${cause.level}`);
  return sign;
}

/** Say in words what a cell shows. */
function wordsOf(cell) {
  const counts = Object.entries(cell.cases).map(([mark, at]) => `${at.length} ${mark}`).join(", ");
  return `${cell.client.name}: ${cell.mark}${cell.whole || cell.mark === "pass" ? "" : " on changed wires"} (${counts})`;
}
