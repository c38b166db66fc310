// Puts a JavaScript client behind tapecheck's client protocol. Needs Node.js 18 or later and nothing else; may be
// copied.
//
// serve({name, dialects, features, failures, version}, async function* (call) {…}) is all that a
// program needs. The function takes a call and yields, or returns, what the client hands out: chunks or
// events of an SDK. The call has the fields of the message (base_url, api_key, arguments, stream, …) and
// `signal`, which is aborted when the call is cancelled.
//
// What is yielded is a chunk or event of the SDK. nativeTurn(value) is the whole answer of the SDK,
// event({…}) and turn({…}) are in the normalized form. In a call that is not streamed, what is
// yielded or returned is the whole answer. fromIterable(iterable) hands on any async iterable:
//
//   const about = { name: "my-client", dialects: ["openai-chat"], features: ["streaming"] };
//   serve(about, (call) => fromIterable(client.stream(call.arguments, { signal: call.signal })));
//
// tapecheck-client.d.mts has the types.
import { readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

export const PROTOCOL = 1;

class Said {
  constructor(type, data, form) {
    Object.assign(this, { type, data, form });
  }
}

export const event = (data) => new Said("event", data);
export const turn = (data) => new Said("turn", data);
export const native = (data, form) => new Said("native", data, form);
export const nativeTurn = (data, form) => new Said("native_turn", data, form);

/** The call could not be made, through no fault of the client. */
export class NotRun extends Error {}

/** Says which releases of packages the program finds, and of Node.js, for a declaration's version. */
export function versions(...packages) {
  const found = packages.map((name) => `${name} ${release(name, dirname(process.argv[1]))}`);
  return [...found, `node ${process.versions.node}`].join(", ");
}

function release(name, folder) {
  try {
    return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"))).version;
  } catch {
    return dirname(folder) === folder ? "of an unknown release" : release(name, dirname(folder));
  }
}

export function serve(declaration, make) {
  const { failures = [], ...declared } = declaration;
  const running = new Map();
  // What the client prints must not get between the messages.
  for (const name of ["log", "info", "debug", "dir", "table"]) console[name] = console.error;
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const names = failures.map((failure) => (typeof failure === "string" ? failure : failure.name));
  send({ type: "hello", protocol: PROTOCOL, declaration: { ...declared, failures: names } });
  process.on("unhandledRejection", (reason) => console.error("unhandled rejection:", reason));
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const message = JSON.parse(line);
      if (message.type === "call") answer(message, make, running);
      else if (message.type === "cancel") running.get(message.id)?.abort();
    })
    .on("close", () => process.exit(0));
}

async function answer(call, make, running) {
  const controller = new AbortController();
  running.set(call.id, controller);
  const { id } = call;
  try {
    await handOn(make({ ...call, signal: controller.signal }), call, controller.signal);
  } catch (error) {
    if (error instanceof NotRun) {
      running.delete(id);
      return send({ type: "not_run", id, message: error.message });
    }
    if (!controller.signal.aborted) send({ type: "failed", id, error: described(error) });
  }
  running.delete(id);
  send({ type: "done", id });
}

async function handOn(produced, call, signal) {
  const items = produced?.[Symbol.asyncIterator]?.() ?? produced?.[Symbol.iterator]?.();
  if (items === undefined || typeof produced === "string") {
    const result = await produced;
    if (result !== undefined) say(call, result);
    return;
  }
  const aborted = new Promise((resolve) => signal.addEventListener("abort", () => resolve(null), { once: true }));
  for (;;) {
    const step = await Promise.race([items.next(), aborted]);
    if (step === null) {
      // Returning closes the client's own loop, and so its connection.
      items.return?.()?.catch?.(() => {});
      return;
    }
    if (step.done) {
      if (step.value !== undefined) say(call, step.value);
      return;
    }
    say(call, step.value);
  }
}

function say(call, item) {
  const said = item instanceof Said ? item : new Said(call.stream ? "native" : "native_turn", item);
  send({ type: said.type, id: call.id, data: plain(said.data), form: said.form });
}

function plain(value) {
  return value === undefined ? null : value;
}

/** Hands on any async iterable, such as the stream that an SDK returns. */
export async function* fromIterable(iterable) {
  yield* await iterable;
}

function send(message) {
  const text = JSON.stringify(message, (_, value) => (typeof value === "bigint" ? Number(value) : value));
  let rest = Buffer.from(text + "\n");
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") process.exit(1);
      // The pipe is full: wait a moment, without giving the client a turn.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** What an exception of an SDK says, as data. */
export function described(error) {
  if (!(error instanceof Error)) return { names: [typeof error], message: textOf(error), body: plain(error) };
  const names = [];
  for (let kind = error.constructor; kind?.name; kind = Object.getPrototypeOf(kind)) {
    // Bundlers put a _ before the names of classes.
    names.push(kind.name.replace(/^_+(?=.)/, ""));
  }
  // The first name is that of the class: a plain Error may be given a name.
  if (error.name && !names.includes(error.name)) names[error.constructor === Error ? "push" : "unshift"](error.name);
  // After retries the last error is what the provider said.
  const last = error.lastError ?? error;
  const status = last.status ?? last.statusCode ?? last.response?.status;
  const headers = last.headers ?? last.responseHeaders ?? last.response?.headers;
  const about = {
    names,
    message: error.message,
    status: Number.isInteger(status) ? status : null,
    code: typeof last.code === "string" ? last.code : null,
    body: last.responseBody ?? last.error ?? last.body ?? null,
    headers: Object.fromEntries(headers?.entries?.() ?? Object.entries(headers ?? {})),
    request_id: last.requestID ?? last.request_id ?? null,
    traceback: causes(error),
  };
  try {
    JSON.stringify(about);
    return about;
  } catch {
    return { names, message: error.message, traceback: about.traceback };
  }
}

function textOf(value) {
  try {
    return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return String(value);
  }
}

function causes(error) {
  const texts = [];
  for (let one = error; one instanceof Error && texts.length < 4; one = one.cause) {
    texts.push(one.stack ?? String(one));
  }
  return texts.join("\ncaused by ").slice(0, 6000);
}
