// The AI SDK of Vercel with its provider for Anthropic.
import { createAnthropic } from "@ai-sdk/anthropic";
import { ask } from "./ai_common.mjs";
import { serve, versions } from "./tapecheck-client.mjs";

const about = {
  name: "ai-sdk-anthropic",
  version: versions("ai", "@ai-sdk/anthropic"),
  dialects: ["anthropic"],
  features: ["streaming", "non_streaming", "tools", "reasoning", "citations", "retries", "multi_turn"],
  failures: ["AISDKError"],
  profile: "framework",
  exposes: ["raw_finish_reason", "tool_deltas", "usage_details", "error_status"],
};

serve(about, (call) => {
  const anthropic = createAnthropic({ baseURL: `${call.base_url}/v1`, apiKey: call.api_key });
  const { thinking, parallel_tool_calls: parallel } = call.options;
  const settings = {
    thinking: thinking && { type: thinking.type, budgetTokens: thinking.budget_tokens },
    disableParallelToolUse: parallel === undefined ? undefined : !parallel,
  };
  return ask(call, anthropic(call.model), { anthropic: settings });
});
