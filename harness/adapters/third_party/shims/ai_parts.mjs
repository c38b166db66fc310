// The parts of an answer of the AI SDK as normalized events, or as a turn.
import { AISDKError } from "ai";
import { event, turn } from "./tapecheck-client.mjs";

const REASONS = { stop: "stop", length: "length", "tool-calls": "tool_calls", "content-filter": "content_filter" };

/** The turn of what generateText returned. Throws if the answer is not one. */
export function wholeTurn({ content, finishReason, rawFinishReason, usage }) {
  const broken = content.find((part) => part.type === "tool-call" && part.invalid);
  fail(finishReason, rawFinishReason, broken?.error);
  const cited = content.filter((part) => part.type === "source").flatMap(citation);
  const parts = content.flatMap(turnPart);
  const text = parts.findLast((part) => part.type === "text");
  if (text && cited.length) text.citations = cited;
  const finish_reason = REASONS[finishReason] ?? "unknown";
  const status = ["length", "content_filter"].includes(finish_reason) ? "incomplete" : "completed";
  return turn({ status, finish_reason, raw_finish_reason: rawFinishReason, usage: counts(usage), parts });
}

function turnPart(part) {
  const signed = opaque(part);
  const thought_signature = signed.thoughtSignature;
  if (part.type === "text") return [{ type: "text", text: part.text, thought_signature }];
  if (part.type === "reasoning") {
    return [{ type: "reasoning", text: part.text, channel: "text", ...signatures(signed) }];
  }
  if (part.type === "file") return image(part);
  if (part.type !== "tool-call") return [];
  if (part.providerExecuted) return [{ type: "hosted_tool", kind: part.toolName }];
  const { toolCallId: id, toolName: name } = part;
  return [{ type: "tool_call", id, name, thought_signature, ...argumentsOf(part) }];
}

/** The parts of fullStream, one after the other. */
export class Streamed {
  /** The numbers of the open calls, by their ids. */
  calls = new Map();
  count = 0;
  signed = new Set();
  error = undefined;
  broken = undefined;

  /** The events of a part. */
  *part(part) {
    if (part.type.startsWith("text-")) yield* this.text(part);
    else if (part.type.startsWith("reasoning-")) yield* this.reasoning(part);
    else if (part.type === "source") yield* citation(part).map(event);
    else if (part.type === "file") yield* image(part).map(event);
    else if (part.type === "tool-input-start") yield* this.inputStart(part);
    else if (part.type === "tool-input-delta") yield* this.callDelta(part);
    else if (part.type === "tool-call") yield* this.call(part);
    else if (part.type === "error") this.error ??= part.error;
    else if (part.type === "abort") this.error ??= new DOMException(part.reason, "TimeoutError");
    else if (part.type === "finish") this.finish = part;
  }

  /** The last events. Throws if an error came, which the SDK hands out as a part. */
  *end() {
    const { finishReason, rawFinishReason, totalUsage } = this.finish ?? {};
    const usage = counts(totalUsage ?? {});
    if (Object.keys(usage).length) yield event({ type: "usage", usage });
    if (this.error !== undefined) throw reported(this.error);
    fail(finishReason, rawFinishReason, this.broken);
    const finish_reason = REASONS[finishReason] ?? "unknown";
    yield event({ type: "message_stop", finish_reason, raw_finish_reason: rawFinishReason });
  }

  *text(part) {
    if (part.text) yield event({ type: "content_delta", delta: part.text });
    yield* this.signature(given({ signature: opaque(part).thoughtSignature }));
  }

  *reasoning(part) {
    if (part.text) yield event({ type: "reasoning_delta", delta: part.text, channel: "text" });
    yield* this.signature(signatures(opaque(part)));
  }

  /** The beginning and the end of a part may have the same signature. */
  *signature(fields) {
    const key = JSON.stringify(fields);
    if (key === "{}" || this.signed.has(key)) return;
    this.signed.add(key);
    yield event({ type: "reasoning_signature", ...fields });
  }

  *inputStart({ id, toolName, providerExecuted }) {
    if (!providerExecuted) yield* this.callStart(id, toolName);
  }

  *callStart(id, name) {
    if (this.calls.has(id)) return;
    const index = this.count++;
    this.calls.set(id, index);
    yield event({ type: "tool_call_start", tool_call_index: index, tool_call_id: id, tool_name: name });
  }

  *callDelta({ id, delta }) {
    const index = this.calls.get(id);
    if (index === undefined || !delta) return;
    yield event({ type: "tool_call_delta", tool_call_index: index, arguments_delta: delta });
  }

  *call(part) {
    if (part.providerExecuted) return yield event({ type: "hosted_tool", kind: part.toolName });
    yield* this.callStart(part.toolCallId, part.toolName);
    if (part.invalid) return (this.broken ??= part.error);
    const { thoughtSignature: thought_signature } = opaque(part);
    const index = this.calls.get(part.toolCallId);
    this.calls.delete(part.toolCallId);
    yield event({ type: "tool_call_end", tool_call_index: index, thought_signature, ...argumentsOf(part) });
  }
}

/** Throws for an answer that failed: the SDK says so in its finish reason, or in a call with broken arguments. */
function fail(finishReason, raw, broken) {
  if (finishReason === "error") throw reported(broken ?? `the finish reason is error (${raw})`);
  // A call that a limit cut is not whole, and the finish reason says why.
  if (broken && finishReason !== "length" && finishReason !== "content-filter") throw reported(broken);
}

function argumentsOf({ input, invalid }) {
  const arguments_raw = typeof input === "string" ? input : JSON.stringify(input);
  return { arguments: invalid ? null : input, arguments_raw };
}

/** What providers want back, as they signed it. */
const opaque = (part) => Object.assign({}, ...Object.values(part.providerMetadata ?? {}));

function signatures({ signature, thoughtSignature, redactedData, reasoningEncryptedContent }) {
  return given({
    signature: signature || thoughtSignature,
    redacted_data: redactedData,
    encrypted_content: reasoningEncryptedContent,
  });
}

const citation = ({ url, title }) => (url ? [given({ type: "citation", url, title })] : []);

function image(part) {
  const { mediaType, base64 } = part.file;
  if (!mediaType.startsWith("image/")) return [];
  const { thoughtSignature: thought_signature } = opaque(part);
  return [given({ type: "image", url: `data:${mediaType};base64,${base64}`, thought_signature })];
}

function counts({ inputTokens, outputTokens, totalTokens, inputTokenDetails, outputTokenDetails }) {
  return given({
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    total_tokens: totalTokens,
    cache_read_input_tokens: inputTokenDetails?.cacheReadTokens,
    cache_creation_input_tokens: inputTokenDetails?.cacheWriteTokens,
    reasoning_tokens: outputTokenDetails?.reasoningTokens,
  });
}

function given(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => (value ?? "") !== ""));
}

/** An error that the SDK hands out as a value, which may be any, to be thrown as one of its own. */
function reported(error) {
  const message = error?.message ?? (typeof error === "string" ? error : JSON.stringify(error));
  const said = new AISDKError({ name: error?.name ?? "AI_StreamError", message, cause: error });
  return Object.assign(said, error instanceof Error ? { ...error, name: error.name } : { body: error });
}
