// The SDK of Anthropic for Node.js: messages.create, or messages.stream with the argument "helper".
import Anthropic from "@anthropic-ai/sdk";
import { nativeTurn, serve, versions } from "./tapecheck-client.mjs";

const helper = process.argv.includes("helper");
const about = {
  name: helper ? "anthropic-node-helper" : "anthropic-node",
  version: versions("@anthropic-ai/sdk"),
  dialects: ["anthropic"],
  features: [
    ...["streaming", "non_streaming", "tools", "reasoning", "citations"],
    ...["retries", "multi_turn", "structured_output", "hosted_tools"],
  ],
  profile: "accumulator",
  exposes: ["tool_deltas", "arguments_raw", "error_code", "error_status", "request_id"],
  failures: ["AnthropicError"],
  // The timeout of the SDK ends with the headers of an answer.
  idle_timeout: "none",
};

serve(about, async function* (call) {
  const client = new Anthropic({
    baseURL: call.base_url,
    apiKey: call.api_key,
    timeout: call.timeout * 1000,
    maxRetries: call.max_retries,
  });
  const { extra_body: more, ...given } = call.arguments;
  const [body, options] = [{ ...given, ...more }, { signal: call.signal }];
  if (!call.stream) {
    yield await client.messages.create(body, options);
  } else if (helper) {
    const stream = client.messages.stream(body, options);
    yield* stream;
    yield nativeTurn(await stream.finalMessage());
  } else {
    yield* await client.messages.create({ ...body, stream: true }, options);
  }
});
