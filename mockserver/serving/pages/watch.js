"use strict";
// Everything that a client or a server sent goes into the page as text, never as markup.
const $ = (id) => document.getElementById(id);
const base = new URL("./", location.href);
let known = new Map(); // number -> brief request
let chosen = { session: "", number: null };

function readHash() {
  const [session, number] = decodeURIComponent(location.hash.slice(1)).split("/");
  chosen = { session: session || "", number: number ? Number(number) : null };
}
function writeHash() {
  history.replaceState(null, "", `#${encodeURIComponent(chosen.session)}/${chosen.number ?? ""}`);
}
async function get(path) {
  const answer = await fetch(new URL(path, base), { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}
function put(parent, tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  parent.append(made);
  return made;
}
function options(sessions) {
  const select = $("session");
  const wanted = [["", "without a session"], ...sessions.map((s) => [s.id, `${s.id} ${s.name}`])];
  const now = JSON.stringify(wanted);
  if (select.dataset.now === now) return;
  select.dataset.now = now;
  select.replaceChildren();
  for (const [value, text] of wanted) put(select, "option", text).value = value;
  select.value = chosen.session;
}
function mine() {
  return [...known.values()].filter((r) => (r.session ?? "") === chosen.session);
}
function showList() {
  const shown = mine().sort((a, b) => b.number - a.number).slice(0, 300);
  const empty = shown.length === 0;
  $("none").hidden = $("how").hidden = !empty;
  const focused = document.activeElement?.dataset?.number;
  const list = $("list");
  list.replaceChildren();
  for (const r of shown) {
    const button = put(put(list, "li", ""), "button", "");
    button.type = "button";
    button.dataset.number = r.number;
    button.setAttribute("aria-current", String(r.number === chosen.number));
    put(button, "span", `#${r.place}`, "number");
    put(button, "span", `${r.method} ${r.path}`, "path");
    put(button, "span", String(r.status ?? "…"), r.status >= 400 ? "bad" : "good");
    const seconds = r.ended === null ? "" : `, ${(r.ended - r.arrived).toFixed(2)} s`;
    put(button, "span", `${r.answer ?? r.note ?? ""} · ${r.outcome}${seconds}`, "note");
    button.onclick = () => { chosen.number = r.number; writeHash(); showList(); detail(true); };
    if (String(r.number) === focused) button.focus();
  }
}
async function detail(jump = false) {
  const section = $("detail");
  if (chosen.number === null) { section.hidden = true; return; }
  let found;
  try { found = await get(`watch/${chosen.number}`); } catch { section.hidden = true; return; }
  section.hidden = false;
  $("detail-title").textContent = `Request #${known.get(found.number)?.place ?? found.number}`;
  $("summary").textContent =
    `${found.method} ${found.path}, answered with ${found.status ?? "nothing"} ` +
    `(${found.answer ?? found.note ?? "no answer"}), ${found.sent} bytes sent, ${found.outcome}`;
  const rows = $("events").tBodies[0];
  rows.replaceChildren();
  const sent = found.events.filter((event) => event.sent);
  const rest = found.events.length - sent.length;
  for (const event of sent) {
    const row = put(rows, "tr", "");
    put(row, "td", event.at_ms.toFixed(0));
    put(row, "td", String(event.bytes));
    put(row, "td", event.text.trimEnd());
  }
  $("rest").textContent = rest === 0 ? "" :
    `${rest} more ${found.outcome === "answering" ? "to come" : "not sent"}`;
  $("ending").textContent = found.fault ? `Fault: ${found.fault}` : "";
  $("body").textContent = pretty(found.body ?? found.body_base64 ?? "");
  // On a phone the list is above: the details would be out of sight.
  if (jump && section.getBoundingClientRect().top > innerHeight) section.scrollIntoView();
  $("headers").textContent = found.headers.map(([n, v]) => `${n}: ${v}`).join("\n");
}
function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}
async function verdict() {
  const found = await get(`watch?verdict=${encodeURIComponent(chosen.session)}`);
  $("verdict").textContent = found.verdict;
  $("verdict").className = found.failed ? "bad" : "";
}
async function update() {
  const open = [...known.values()].filter((r) => r.ended === null).map((r) => r.number);
  const after = Math.min(...open, known.size ? Math.max(...known.keys()) + 1 : 0);
  const found = await get(`watch?from=${after}`);
  if (found.first !== undefined) for (const n of known.keys()) if (n < found.first) known.delete(n);
  options(found.sessions);
  $("how").textContent = found.how;
  if (found.requests.length) {
    for (const r of found.requests) known.set(r.number, r);
    showList();
    await verdict();
    if (found.requests.some((r) => r.number === chosen.number)) await detail();
  }
  $("state").textContent = known.size === 1 ? "1 request" : `${known.size} requests`;
}
async function loop() {
  try { if (!document.hidden) await update(); }
  catch (error) { $("state").textContent = `no answer from the server (${error.message})`; }
  setTimeout(loop, 700);
}
function value(form) {
  const text = form.value.value || form.value.placeholder;
  if (["say", "think", "refuse", "fail"].includes(form.verb.value)) return text;
  if (form.verb.value === "call" && !/^\s*[{[]/.test(text)) return text;
  return JSON.parse(text);
}
$("script").onsubmit = async (event) => {
  event.preventDefault();
  const form = event.target;
  const answer = {};
  try { answer[form.verb.value] = value(form); }
  catch (error) { $("added").textContent = `not JSON: ${error.message}`; return; }
  if (form.verb.value === "think") answer.say = "Hello";
  if (form.fault.value) answer[form.fault.value] = Number(form.events.value);
  const path = chosen.session ? `sessions/${chosen.session}/answers` : "answers";
  const sent = await fetch(new URL(path, base), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ answers: [answer] }),
  });
  const found = await sent.json().catch(() => ({}));
  $("added").textContent = sent.ok ? "added" : found.error?.message ?? `HTTP ${sent.status}`;
};
const FORMS = {
  say: "Hello", think: "The user greets.", json: '{"number": "A-1"}', refuse: "I cannot help with that.",
  call: '{"get_weather": {"city": "Paris"}}', fail: "429, retry 2s",
};
$("script").verb.onchange = (event) => { $("script").value.placeholder = FORMS[event.target.value]; };
$("session").onchange = async (event) => {
  chosen = { session: event.target.value, number: null };
  writeHash();
  showList();
  await Promise.all([detail(), verdict()]);
};
window.onhashchange = () => { readHash(); showList(); detail(); };
readHash();
loop().then(() => { $("session").value = chosen.session; showList(); detail(); verdict(); });
