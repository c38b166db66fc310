// What opens beside the matrix: one cell, one client, or the cases of one kind of break.

const ISSUE = /^([A-Za-z0-9][\w.-]*\/[\w.-]+)#(\d+)$/;

/** Return a source as a link, if it is an address or an issue of a repository, else as text. */
function sourceOf(source) {
  const issue = ISSUE.exec(source);
  const address = issue ? `https://github.com/${issue[1]}/issues/${issue[2]}` : source;
  if (!/^https?:\/\/[\w.-]+(:\d+)?([/?#]\S*)?$/.test(address)) return el("bdi", {}, source);
  return el("a", { href: address, rel: "noopener noreferrer nofollow" }, el("bdi", {}, source));
}

/** Return two texts, with what is between their equal beginning and end marked. */
function marked(left, right) {
  const [one, other] = [[...left], [...right]];
  let start = 0, end = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start += 1;
  while (end < one.length - start && end < other.length - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return [["del", one], ["ins", other]].map(([name, text]) => {
    const middle = text.slice(start, text.length - end).join("");
    return [text.slice(0, start).join(""), middle ? el(name, {}, middle) : null, text.slice(text.length - end).join("")];
  });
}

/** Return the two sides of a finding, line by line. */
function comparison(model, cause) {
  const body = el("tbody");
  for (const row of cause.rows) {
    if (row.length === 1) {
      body.append(el("tr", { class: "more" }, el("td", { colspan: "2" }, `… ${many(row[0], "more line")}`)));
      continue;
    }
    const [left, right] = [model.text(row[0]), model.text(row[1])];
    const [one, other] = row[2] && left && right ? marked(left, right) : [[left], [right]];
    const cells = [el("td", { "data-side": "expected" }, one)];
    if (!cause.both) cells.pop();
    cells.push(el("td", { "data-side": "observed" }, other));
    body.append(el("tr", { class: row[2] ? "differs" : "" }, cells));
  }
  const heads = (cause.both ? ["expected", "observed"] : ["observed"]).map((word) => el("th", { scope: "col" }, word));
  return el("div", { class: "scroll" }, el("table", { class: "diff" }, el("thead", {}, el("tr", {}, heads)), body));
}

/** Return text to paste, with a button that copies it. */
function pasteable(text, label) {
  const pre = el("pre", { tabindex: "0", "aria-label": label }, text);
  if (!navigator.clipboard) return el("div", { class: "paste" }, pre);
  const button = el("button", { type: "button", class: "copy", on: { click: async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } } }, "copy");
  return el("div", { class: "paste" }, button, pre);
}

/** Put faults of one kind together: cut=1, cut=2, cut=3 are cut 1-3. */
function rangesOf(names) {
  const numbered = new Map(), plain = [];
  for (const name of names) {
    const found = /^(cut|end|reset|stall|garble|hold)=(\d+)$/.exec(name);
    if (!found) plain.push(name);
    else numbered.set(found[1], [...(numbered.get(found[1]) ?? []), Number(found[2])]);
  }
  const joined = [...numbered].map(([kind, all]) => {
    const parts = [];
    for (const n of all.sort((a, b) => a - b)) {
      const last = parts.at(-1);
      if (last && last[1] === n - 1) last[1] = n; else parts.push([n, n]);
    }
    return `${kind} after event ${parts.map(([a, b]) => (a === b ? a : `${a}-${b}`)).join(", ")}`;
  });
  return [...plain, ...joined];
}

/** Return names of wires; many of them open. */
function listOf(names) {
  const codes = names.map((name) => el("code", {}, name));
  if (codes.length <= 8) return el("div", { class: "names" }, codes);
  return el("details", {}, el("summary", {}, many(names.length, "wire")), el("div", { class: "names" }, codes));
}

class Detail {
  constructor(model) {
    this.model = model;
    this.dialog = byId("detail");
  }

  /** Show parts under a title; the dialog keeps the focus inside until it is closed. */
  show(title, parts, buttons = []) {
    const close = el("button", { type: "button", "aria-label": "Close", class: "close", on: { click: () => this.dialog.close() } }, "×");
    byId("detail-inner").replaceChildren(el("header", {}, el("h2", { id: "detail-title", tabindex: "-1" }, title), el("div", { class: "buttons" }, buttons, close)), el("div", { class: "parts" }, parts));
    if (!this.dialog.open) this.dialog.showModal();
    byId("detail-inner").scrollTop = 0;
    byId("detail-title").focus();
  }

  /** Show one cell; the cause that a variation has is put first. */
  cell(cell, variation, buttons) {
    const model = this.model, { scenario, client } = cell;
    const number = model.variations.indexOf(variation);
    const has = (cause) => cause.at.includes(number);
    const causes = [...cell.causes].sort((a, b) => has(b) - has(a));
    const what = el("p", { class: "lead" }, cellSign(model, cell), " ",
      el("b", {}, cell.mark), ` ${model.signs[cell.mark][1]}`);
    this.show([el("bdi", {}, scenario.id), el("small", {}, el("a", { href: `#client=${encodeURIComponent(client.name)}` }, client.name))], [
      what,
      this.requirement(scenario, causes, client),
      ...causes.map((cause, place) => this.cause(cell, cause, place, has(cause) ? variation : null)),
      causes.length ? null : el("p", {}, "No check found anything wrong."),
      this.wires(cell),
    ], buttons);
  }

  requirement(scenario, causes, client) {
    const line = causes.find((c) => c.line)?.line;
    return el("section", {}, el("h3", {}, "Requirement"), el("p", {}, el("bdi", {}, scenario.title)),
      el("dl", { class: "facts" },
        fact("source", scenario.source.map((s) => el("div", {}, sourceOf(s)))),
        fact("about", scenario.about.join(", ")),
        fact("dialect", scenario.dialect),
        fact("priority", scenario.priority),
        fact("client", client.versions.join(", ")),
        fact("file", el("code", {}, `${scenario.file}${line ? `:${line}` : ""}`))));
  }

  cause(cell, cause, place, variation) {
    const model = this.model, { text } = model;
    const [kind, field] = [text(cause.kind), text(cause.field)];
    const id = `${cell.scenario.id}/${variation ?? model.variations[cause.example]}@${cell.client.name}`;
    const names = rangesOf(cause.at.map((n) => model.variations[n]));
    const part = el("section", { class: `cause l-${cause.level}` },
      el("h3", {}, causeSign(model, cause), ` ${cause.level} · `, el("bdi", {}, field && field !== kind ? `${kind}: ${field}` : kind)),
      el("p", { class: "message" }, el("bdi", {}, text(cause.message))),
      cause.blame ? el("p", { class: "notice" }, `Not about the client, but about the ${cause.blame}.`) : null,
      cause.why === undefined ? null : el("p", { class: "dim" }, `Why ${cause.level}: ${text(cause.why)}.`),
      cause.known === undefined ? null : el("p", { class: "notice" }, el("b", {}, "Known: "), el("bdi", {}, text(cause.known))),
      cause.rows?.length ? comparison(model, cause) : null,
      cause.wire === undefined ? null : [el("h4", {}, "On the wire"), el("pre", { tabindex: "0", class: "wire", "aria-label": "bytes on the wire" }, text(cause.wire))],
      el("h4", {}, `Where: ${many(cause.at.length, "case")}`),
      cause.depends === undefined ? null : el("p", {}, el("bdi", {}, text(cause.depends))),
      listOf(names),
      cause.reproduce === undefined ? null : el("details", { open: place === 0 }, el("summary", {}, `Reproduce ${id}`), pasteable(text(cause.reproduce), "commands that reproduce it")),
      el("details", {}, el("summary", {}, "Play it again with tapecheck"), pasteable(["tapecheck", "explain", id, ...optionsFor(model, cell.c)].map(quoted).join(" "), "command that plays it again")));
    return part;
  }

  wires(cell) {
    const model = this.model;
    const rows = Object.entries(cell.cases).map(([mark, at]) => el("tr", {},
      el("th", { scope: "row" }, signOf(model, mark), ` ${mark}`), el("td", { class: "number" }, String(at.length)),
      el("td", {}, listOf(rangesOf(at.map((n) => model.variations[n]))))));
    return el("section", {}, el("h3", {}, "Wires and faults"), el("table", { class: "wires" }, el("tbody", {}, rows)));
  }

  /** Show what one client declares, and why it fails. */
  client(number) {
    const model = this.model, client = model.clients[number], { text } = model;
    const causes = client.causes.map((cause) => el("li", {}, signOf(model, cause.level), " ",
      el("a", { href: addressOf(cause.case) }, el("b", {}, text(cause.name)), ` ${many(cause.count, "case")}`),
      el("div", {}, el("bdi", {}, text(cause.message))), el("div", { class: "dim" }, el("bdi", {}, text(cause.where)))));
    this.show(client.name, [
      el("dl", { class: "facts" },
        fact("versions", client.versions.join(", ")), fact("dialects", client.dialects.join(", ")),
        fact("fails for", client.level), fact("errors", client.errors),
        fact("exposes", client.exposes === null ? "not declared" : client.exposes.join(", ") || "nothing"),
        fact("facts judged", client.facts), fact("not judged, since not exposed", client.unjudged.join(", "))),
      el("h3", {}, "Failures by cause"),
      causes.length ? el("ul", { class: "causes" }, causes) : el("p", {}, "None at the level of this run."),
    ], []);
  }

  /** Show the cases in which a client did not report one kind of break. */
  broken(entry) {
    const model = this.model, [head, meaning] = model.breaks_named[entry.how];
    const client = model.clients[entry.c].name;
    const rows = [...groupBy(entry.at, ([s]) => s)].map(([s, at]) => el("li", {}, cellSign(model, model.scenarios[s].cells.get(entry.c)), " ",
      el("a", { href: addressOf(`${model.scenarios[s].id}/${model.variations[at[0][1]]}@${client}`) }, model.scenarios[s].id),
      listOf(rangesOf(at.map(([, v]) => model.variations[v])))));
    this.show(`${client}: ${head}`, [
      el("p", {}, `${meaning[0].toUpperCase()}${meaning.slice(1)}. In these cases: `, el("b", {}, model.reactions[entry.reaction][0]), `, ${model.reactions[entry.reaction][1]}.`),
      el("ul", { class: "causes" }, rows),
    ], []);
  }
}

function fact(name, value) {
  return value && value.length !== 0 ? el("div", {}, el("dt", {}, name), el("dd", {}, value)) : null;
}

/** Return the options of the run; of several adapters only the one of a client. */
function optionsFor(model, number) {
  const pairs = model.options.flatMap((word, at) => (word === "--adapter" ? [at] : []));
  if (pairs.length !== model.clients.length) return model.options;
  return model.options.filter((_, at) => !pairs.includes(at) && !pairs.includes(at - 1))
    .concat(model.options.slice(pairs[number], pairs[number] + 2));
}

/** Quote a word for a shell. */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
