// The SDK of Google for Node.js: models.generateContent and models.generateContentStream.
import { GoogleGenAI } from "@google/genai";
import { serve, versions } from "./tapecheck-client.mjs";

const about = {
  name: "google-genai-node",
  version: versions("@google/genai"),
  dialects: ["gemini"],
  features: [
    ...["streaming", "non_streaming", "tools", "reasoning", "citations"],
    ...["retries", "multi_turn", "structured_output", "hosted_tools"],
  ],
  profile: "accumulator",
  exposes: ["images", "error_status"],
  failures: ["ApiError"],
};

serve(about, async function* (call) {
  const ai = new GoogleGenAI({
    apiKey: call.api_key,
    httpOptions: {
      baseUrl: call.base_url,
      timeout: call.timeout * 1000,
      retryOptions: { attempts: call.max_retries + 1 },
    },
  });
  const request = { ...call.arguments, config: { ...call.arguments.config, abortSignal: call.signal } };
  if (!call.stream) {
    yield await ai.models.generateContent(request);
    return;
  }
  yield* await ai.models.generateContentStream(request);
});
