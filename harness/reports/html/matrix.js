// The matrix: a table for each dialect, with rows in groups, and its filters.

const ORDER = ["must", "should", "may"];

/** Return what is asked for by the form of filters. */
function filtersOf() {
  const boxes = [...document.querySelectorAll("#which-list input")];
  return {
    words: byId("q").value.toLowerCase().split(/\s+/).filter(Boolean),
    dialect: byId("dialect").value,
    level: byId("level").value,
    known: byId("known").value,
    clients: new Set(boxes.filter((box) => box.checked).map((box) => Number(box.value))),
  };
}

/** Return whether a cause is of a level, or above, and known or new, as the filters want it. */
function wanted(cause, filters) {
  if (filters.level && ORDER.indexOf(cause.level) > ORDER.indexOf(filters.level)) return false;
  if (filters.known) return (filters.known === "known") === (cause.known !== undefined);
  return true;
}

/** Return all that the search looks in, of one cell: its scenario, its client, its findings. */
function haystack(model, cell) {
  const { id, title, file, source, about } = cell.scenario, { text } = model;
  cell.words ??= [id, title, file, ...source, ...about, cell.client.name, cell.mark]
    .concat(cell.causes.flatMap((c) => [c.level, text(c.kind), text(c.field), text(c.message), c.known === undefined ? "" : text(c.known)]))
    .join("\n").toLowerCase();
  return cell.words;
}

/** Return whether a cell is to be seen under the filters. */
function shows(model, cell, filters) {
  if (!filters.clients.has(cell.c)) return false;
  if ((filters.level || filters.known) && !cell.causes.some((cause) => wanted(cause, filters))) return false;
  return filters.words.every((word) => haystack(model, cell).includes(word));
}

class Matrix {
  constructor(model, open) {
    this.model = model;
    this.open = open;
    this.visible = [];
    this.closed = new Set();
    const dialects = [...new Set(model.scenarios.map((s) => s.dialect))];
    if (model.scenarios.length > 1000) for (const s of model.scenarios) this.closed.add(this.groupOf(s));
    byId("dialect").append(...dialects.map((d) => el("option", { value: d }, d || "(no dialect)")));
    byId("which-list").append(...model.clients.map((c, n) => el("label", {}, el("input", { type: "checkbox", value: n, checked: true }), ` ${c.name}`)));
    byId("which-list").parentElement.addEventListener("click", (event) => {
      if (event.target.tagName !== "BUTTON") return;
      for (const box of document.querySelectorAll("#which-list input")) box.checked = event.target.id === "which-all";
      this.draw();
    });
    const form = byId("filters");
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const event of ["input", "change"]) form.addEventListener(event, () => this.soon());
    form.addEventListener("reset", () => setTimeout(() => this.draw()));
    const tables = byId("tables");
    tables.addEventListener("click", (event) => this.clicked(event));
    tables.addEventListener("keydown", (event) => this.pressed(event));
  }

  groupOf(scenario) {
    return `${scenario.dialect} ${scenario.id.split("/")[0]}`;
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), 120);
  }

  /** Draw the tables again, under the filters. */
  draw() {
    const filters = filtersOf(), model = this.model;
    const narrowed = filters.words.length > 0 || filters.level !== "" || filters.known !== "";
    const rows = model.scenarios.filter((s) =>
      (!filters.dialect || s.dialect === filters.dialect)
      && [...s.cells.values()].some((cell) => shows(model, cell, filters)));
    const byDialect = groupBy(rows, (s) => s.dialect);
    this.visible = [];
    byId("tables").replaceChildren(...[...byDialect].map(([dialect, own]) => this.table(dialect, own, filters, narrowed)));
    byId("count").textContent = `${rows.length.toLocaleString("en")} of ${many(model.scenarios.length, "scenario")}`;
    byId("which-text").textContent = filters.clients.size === model.clients.length ? "all" : `${filters.clients.size} of ${model.clients.length}`;
    const first = byId("tables").querySelector("td button, tr.group button");
    if (first) first.tabIndex = 0;
  }

  table(dialect, rows, filters, narrowed) {
    const columns = this.model.clients.map((client, n) => n)
      .filter((n) => rows.some((s) => s.cells.has(n) && shows(this.model, s.cells.get(n), filters)));
    const heads = columns.map((n) => el("th", { scope: "col" }, el("span", {}, this.model.clients[n].name)));
    const table = el("table", { class: "matrix" },
      el("caption", { class: "hidden" }, `${dialect}: scenarios by clients`),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "scenario"), heads)));
    this.visible.push(...rows.flatMap((s) => columns.map((n) => s.cells.get(n)))
      .filter((cell) => cell?.causes.length && shows(this.model, cell, filters)));
    for (const [name, own] of groupBy(rows, (s) => s.id.split("/")[0])) {
      const key = `${dialect} ${name}`, opened = narrowed || !this.closed.has(key);
      table.append(this.group(key, name, own, columns, filters, opened));
    }
    const bad = rows.filter((s) => columns.some((n) => s.cells.get(n)?.causes.length)).length;
    return el("section", { class: "dialect" },
      el("h3", {}, dialect || "no dialect", el("small", {}, ` ${many(rows.length, "scenario")}, ${bad} with findings`)),
      el("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": `${dialect}: scenarios by clients` }, table));
  }

  group(key, name, rows, columns, filters, opened) {
    const sums = columns.map((n) => {
      const cells = rows.map((s) => s.cells.get(n)).filter(Boolean);
      const good = cells.filter((cell) => cell.mark === "pass").length;
      const title = `${good} of ${many(cells.length, "scenario")} without any finding`;
      return el("td", { class: "sum", title }, cells.length ? `${good}/${cells.length}` : "");
    });
    const button = el("button", { type: "button", "aria-expanded": String(opened), "data-group": key, tabindex: "-1" }, name);
    const body = el("tbody", {}, el("tr", { class: "group" }, el("th", { scope: "rowgroup" }, button), sums));
    if (opened) for (const scenario of rows) body.append(this.row(scenario, columns, filters));
    return body;
  }

  row(scenario, columns, filters) {
    const short = scenario.id.slice(scenario.id.indexOf("/") + 1) || scenario.id;
    const cells = columns.map((n) => {
      const cell = scenario.cells.get(n);
      if (!cell) {
        const why = scenario.skips.get(n);
        return el("td", {}, why ? el("span", { class: "sign m-skip", title: `not played: ${why}` }, "–") : "");
      }
      if (!shows(this.model, cell, filters)) return el("td", {}, el("span", { class: "dim", title: "does not match the filters" }, "·"));
      const words = wordsOf(cell);
      return el("td", {}, el("button", { type: "button", tabindex: "-1", title: words, "aria-label": `${scenario.id}, ${words}`, "data-s": cell.s, "data-c": cell.c },
        cellSign(this.model, cell)));
    });
    return el("tr", {}, el("th", { scope: "row", title: scenario.title }, short), cells);
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.group !== undefined) {
      const key = button.dataset.group;
      if (button.getAttribute("aria-expanded") === "true") this.closed.add(key); else this.closed.delete(key);
      this.draw();
      [...document.querySelectorAll("button[data-group]")].find((b) => b.dataset.group === key)?.focus();
      return;
    }
    this.open(this.model.scenarios[button.dataset.s].cells.get(Number(button.dataset.c)));
  }

  /** Move the focus between cells by the arrow keys; only one of them is in the tab order. */
  pressed(event) {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const here = event.target.closest("th, td"), step = steps[event.key];
    if (!here || !step || event.target.tagName !== "BUTTON") return;
    event.preventDefault();
    const rows = [...byId("tables").querySelectorAll("tr")];
    let row = rows.indexOf(here.parentElement), column = here.cellIndex;
    for (;;) {
      if (step[0]) row += step[0]; else column += step[1];
      const cells = rows[row]?.cells;
      if (!cells || column < 0 || (step[1] && column >= cells.length)) return;
      const button = cells[column]?.querySelector("button") ?? (step[0] ? rows[row].querySelector("button") : null);
      if (button) { this.focus(button); return; }
    }
  }

  focus(button) {
    for (const other of byId("tables").querySelectorAll("button[tabindex='0']")) other.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  }

  /** Focus a cell, in an opened group; one that the filters leave out is not shown. */
  reveal(cell) {
    const find = () => byId("tables").querySelector(`button[data-s="${cell.s}"][data-c="${cell.c}"]`);
    if (!find() && this.closed.delete(this.groupOf(cell.scenario))) this.draw();
    const button = find();
    if (button) this.focus(button);
  }
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}
