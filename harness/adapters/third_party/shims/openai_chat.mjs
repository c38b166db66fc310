// The SDK of OpenAI for Node.js: chat.completions.create.
import OpenAI from "openai";
import { serve, versions } from "./tapecheck-client.mjs";

const about = {
  name: "openai-node-chat",
  version: versions("openai"),
  dialects: ["openai-chat"],
  features: [
    ...["streaming", "non_streaming", "tools", "reasoning", "refusal", "retries", "multi_turn"],
    ...["structured_output", "legacy_functions", "multiple_choices", "audio"],
  ],
  profile: "accumulator",
  exposes: ["tool_deltas", "arguments_raw", "error_code", "error_status", "request_id"],
  failures: ["OpenAIError"],
  // The timeout of the SDK ends with the headers of an answer.
  idle_timeout: "none",
};

serve(about, async function* (call) {
  const client = new OpenAI({
    baseURL: call.base_url,
    apiKey: call.api_key,
    timeout: call.timeout * 1000,
    maxRetries: call.max_retries,
  });
  const options = { signal: call.signal };
  if (!call.stream) {
    yield await client.chat.completions.create(call.arguments, options);
    return;
  }
  const body = { ...call.arguments, stream: true, stream_options: { include_usage: true } };
  yield* await client.chat.completions.create(body, options);
});
