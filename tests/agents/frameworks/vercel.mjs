// The loop of Vercel's ai, with several providers.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const url = process.argv[2];
const key = { apiKey: "sk-test" };
const openai = createOpenAI({ baseURL: `${url}/v1`, ...key });
const models = {
  chat: openai.chat("gpt-4.1"),
  responses: openai.responses("gpt-4.1"),
  anthropic: createAnthropic({ baseURL: `${url}/v1`, ...key })("claude-sonnet-4-5"),
  gemini: createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, ...key })("gemini-2.5-flash"),
};
const schema = z.object({
  place: z.object({ name: z.string(), population: z.number().int().nullable() }),
  sky: z.string(),
  degrees: z.number(),
  warnings: z.array(z.string()),
});

async function ask(model, stream, typed, calls) {
  const tools = {};
  for (const [name, field] of [["get_weather", "city"], ["get_time", "zone"]]) {
    tools[name] = tool({
      description: `Use ${name}.`,
      inputSchema: z.object({ [field]: z.string() }),
      execute: async (input) => {
        z.object({ [field]: z.string() }).parse(input);
        calls.push(name);
        return `The ${name} is fine.`;
      },
    });
  }
  const options = {
    model,
    tools,
    maxRetries: 0,
    prompt: "What is the weather and the time in Oslo?",
    stopWhen: stepCountIs(6),
    ...(typed ? { output: Output.object({ schema }) } : {}),
  };
  if (!stream) {
    const result = await generateText(options);
    return typed ? result.output : result.text;
  }
  const failed = [];
  const result = streamText({ ...options, onError: ({ error }) => failed.push(error) });
  for await (const _ of result.fullStream);
  if (failed.length) throw failed[0];
  return typed ? await result.output : await result.text;
}

function problem(calls, answer, typed) {
  if (`${[...calls].sort()}` !== "get_time,get_weather") return `called ${calls}`;
  if (typed) {
    const read = schema.safeParse(answer);
    return read.success ? null : `answered ${JSON.stringify(answer)}: ${read.error}`;
  }
  return typeof answer === "string" && answer ? null : `answered ${JSON.stringify(answer)}`;
}

for (const [api, model] of Object.entries(models))
  for (const stream of [false, true])
    for (const typed of [false, true]) {
      const calls = [];
      let found;
      try {
        found = problem(calls, await ask(model, stream, typed, calls), typed);
      } catch (error) {
        console.error(error);
        found = `${error.name}: ${error.message}`.slice(0, 300);
      }
      console.log(JSON.stringify({ api, stream, typed, calls, problem: found }));
    }
