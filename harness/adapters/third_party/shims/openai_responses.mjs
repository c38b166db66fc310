// The SDK of OpenAI for Node.js: responses.create.
import OpenAI from "openai";
import { serve, versions } from "./tapecheck-client.mjs";

const about = {
  name: "openai-node-responses",
  version: versions("openai"),
  dialects: ["openai-responses"],
  features: [
    ...["streaming", "non_streaming", "tools", "reasoning", "refusal", "citations"],
    ...["multi_turn", "hosted_tools"],
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
    yield await client.responses.create(call.arguments, options);
    return;
  }
  yield* await client.responses.create({ ...call.arguments, stream: true }, options);
});
