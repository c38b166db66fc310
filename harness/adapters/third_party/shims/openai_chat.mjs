// The SDK of OpenAI for Node.js: chat.completions.create.
import OpenAI from "openai";
import { serve, versions } from "./tapecheck-client.mjs";

const about = {
  name: "openai-node-chat",
  version: versions("openai"),
  dialects: ["openai-chat"],
  features: ["streaming", "non_streaming", "tools", "refusal", "retries", "multi_turn"],
  failures: ["OpenAIError"],
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
