// What the shims of the AI SDK share: streamText and generateText, with a call's messages, tools and
// settings.
import { generateText, jsonSchema, streamText, tool } from "ai";
import { Streamed, wholeTurn } from "./ai_parts.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;

/** The messages of earlier answers, as the SDK gave them out to be sent back. */
const answers = new Map();

/** Asks a model of a provider; `providerOptions` are those of the provider. */
export async function* ask(call, model, providerOptions) {
  const milliseconds = call.timeout * 1000;
  const request = {
    model,
    messages: messagesOf(call),
    tools: toolsOf(call),
    ...settingsOf(call.options),
    providerOptions,
    maxRetries: call.max_retries,
    abortSignal: call.signal,
    allowSystemInMessages: true,
    timeout: { chunkMs: milliseconds, stepMs: 4 * milliseconds },
  };
  const result = call.stream ? streamText({ ...request, onError() {} }) : await generateText(request);
  if (call.stream) {
    const streamed = new Streamed();
    for await (const part of result.fullStream) yield* streamed.part(part);
    yield* streamed.end();
  } else {
    yield wholeTurn(result);
  }
  answers.set(place(call, call.messages.length), (await result.response).messages);
}

const place = (call, index) => `${call.base_url} ${index}`;

function toolsOf(call) {
  const functions = call.tools.filter((one) => one.type === "function").map((one) => one.function);
  const noParameters = { type: "object", properties: {} };
  return Object.fromEntries(
    functions.map(({ name, description, parameters }) => [
      name,
      tool({ description, inputSchema: jsonSchema(parameters ?? noParameters) }),
    ]),
  );
}

function settingsOf(options) {
  const { tool_choice: choice, stop } = options;
  return {
    maxOutputTokens: options.max_completion_tokens ?? options.max_tokens,
    temperature: options.temperature,
    topP: options.top_p,
    presencePenalty: options.presence_penalty,
    frequencyPenalty: options.frequency_penalty,
    seed: options.seed,
    stopSequences: typeof stop === "string" ? [stop] : stop,
    toolChoice: choice?.function ? { type: "tool", toolName: choice.function.name } : choice,
  };
}

function messagesOf(call) {
  const names = {};
  return call.messages.flatMap((message, index) => {
    for (const made of message.tool_calls ?? []) names[made.id] = made.function.name;
    return answers.get(place(call, index)) ?? [converted(message, names)];
  });
}

function converted(message, names) {
  const { role, content } = message;
  if (role === "system" || role === "developer") return { role: "system", content: textOf(content) };
  if (role === "user") return { role, content: typeof content === "string" ? content : content.map(userPart) };
  if (role === "tool") {
    const [toolCallId, output] = [message.tool_call_id, { type: "text", value: textOf(content) }];
    return { role, content: [{ type: "tool-result", toolCallId, toolName: names[toolCallId], output }] };
  }
  const calls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: text } }) => ({
    type: "tool-call",
    toolCallId: id,
    toolName: name,
    input: JSON.parse(text || "{}"),
  }));
  return { role, content: [...(content ? [{ type: "text", text: textOf(content) }] : []), ...calls] };
}

const textOf = (content) =>
  typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("");

function userPart(part) {
  if (part.type === "image_url") return { type: "image", image: part.image_url.url };
  if (part.type === "file") return { type: "file", data: part.file.file_data, mediaType: "application/pdf" };
  if (part.type === "input_audio") {
    return { type: "file", data: part.input_audio.data, mediaType: `audio/${part.input_audio.format}` };
  }
  return { type: "text", text: part.text };
}
