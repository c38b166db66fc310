// The start of the page, and its addresses: what is open stands behind the #.

/** Return what an address says: case=ID, client=NAME, or break=KIND with client and did. */
function addressed() {
  return new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
}

function start(data) {
  const model = modelOf(data), detail = new Detail(model);
  let current = null;

  const firstOf = (cell) => model.variations[cell.causes[0]?.example ?? cell.cases[cell.mark][0]];
  const open = (cell) => { location.hash = addressOf(`${cell.scenario.id}/${firstOf(cell)}@${cell.client.name}`); };
  const matrix = new Matrix(model, open);

  const step = (by) => {
    const cells = matrix.visible;
    if (!cells.length) return;
    const at = cells.indexOf(current);
    open(cells[at < 0 ? 0 : (at + by + cells.length) % cells.length]);
  };
  const buttons = () => [
    el("button", { type: "button", title: "previous finding (p)", "aria-label": "Previous finding", on: { click: () => step(-1) } }, "←"),
    el("button", { type: "button", title: "next finding (n)", "aria-label": "Next finding", on: { click: () => step(1) } }, "→"),
    el("a", { class: "permalink", href: location.hash, title: "the address of this case" }, "link"),
  ];

  /** Open what the address says; an unknown one opens nothing, and the page says so. */
  const route = () => {
    const asked = addressed(), say = (text) => { byId("state").textContent = text; };
    say("");
    if (asked.has("case")) {
      const parts = partsOf(asked.get("case"));
      const scenario = parts && model.scenarios.find((s) => s.id === parts.scenario);
      const cell = scenario?.cells.get(model.numbers.get(parts.client));
      if (!cell) return say(`This page has no case ${asked.get("case")}.`);
      current = cell;
      return detail.cell(cell, parts.variation, buttons());
    }
    if (asked.has("break")) {
      const number = model.numbers.get(asked.get("client"));
      const entry = model.breaks.find((b) => b.c === number && b.how === asked.get("break") && b.reaction === asked.get("did"));
      return entry ? detail.broken(entry) : say("This page has no such cases.");
    }
    if (asked.has("client")) {
      const number = model.numbers.get(asked.get("client"));
      return number === undefined ? say(`This page has no client ${asked.get("client")}.`) : detail.client(number);
    }
    if (detail.dialog.open) detail.dialog.close();
  };

  detail.dialog.addEventListener("close", () => {
    if (addressed().size !== 0 || /=/.test(location.hash)) history.pushState(null, "", location.pathname + location.search);
    if (current) matrix.reveal(current);
    current = null;
  });
  detail.dialog.addEventListener("click", (event) => { if (event.target === detail.dialog) detail.dialog.close(); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "/" && !detail.dialog.open) { event.preventDefault(); byId("q").focus(); }
    if (event.key === "n") step(1);
    if (event.key === "p") step(-1);
  });
  addEventListener("hashchange", route);
  addEventListener("popstate", route);
  addEventListener("beforeprint", () => { matrix.closed.clear(); matrix.draw(); });
  matrix.draw();
  route();
}

unpacked().then(
  (data) => {
    if (data) start(data);
    else byId("state").textContent = "This browser cannot unpack the matrix and the details. Those of 2023 and later can; the tables above are complete.";
  },
  (error) => { byId("state").textContent = `The data of this page cannot be read: ${error.message}`; },
);
