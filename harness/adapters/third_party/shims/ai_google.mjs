// The AI SDK of Vercel with its provider for Google.
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { ask } from "./ai_common.mjs";
import { serve, versions } from "./tapecheck-client.mjs";

const about = {
  name: "ai-sdk-google",
  version: versions("ai", "@ai-sdk/google"),
  dialects: ["gemini"],
  features: ["streaming", "non_streaming", "tools", "reasoning", "citations", "retries", "multi_turn"],
  failures: ["AISDKError"],
  profile: "framework",
  exposes: ["raw_finish_reason", "tool_deltas", "usage_details", "error_status", "images"],
};

serve(about, (call) => {
  const google = createGoogleGenerativeAI({ baseURL: `${call.base_url}/v1beta`, apiKey: call.api_key });
  return ask(call, google(call.model), { google: { thinkingConfig: { includeThoughts: true } } });
});
