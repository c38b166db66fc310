// The AI SDK of Vercel with its provider for OpenAI: Chat Completions and the Responses API.
import { createOpenAI } from "@ai-sdk/openai";
import { ask } from "./ai_common.mjs";
import { serve, versions } from "./tapecheck-client.mjs";

const about = {
  name: "ai-sdk-openai",
  version: versions("ai", "@ai-sdk/openai"),
  dialects: ["openai-chat", "openai-responses"],
  features: ["streaming", "non_streaming", "tools", "retries", "multi_turn"],
  failures: ["AISDKError"],
  profile: "framework",
  exposes: ["raw_finish_reason", "tool_deltas", "usage_details", "error_status"],
};

serve(about, (call) => {
  const openai = createOpenAI({ baseURL: call.base_url, apiKey: call.api_key });
  const model = call.dialect === "openai-chat" ? openai.chat(call.model) : openai.responses(call.model);
  return ask(call, model, { openai: { reasoningEffort: call.options.reasoning_effort } });
});
