// One call through an SDK of Node.js: node callers.mjs FOLDER NAME. FOLDER has node_modules.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, name] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const load = (sdk) => import(pathToFileURL(require.resolve(sdk)).href);
const TIMEOUT = 1000;
const QUESTION = "Hello";
const messages = [{ role: "user", content: QUESTION }];

const CALLERS = {
  async openai() {
    const { default: OpenAI } = await load("openai");
    const client = new OpenAI({ timeout: TIMEOUT });
    let text = "";
    const stream = await client.chat.completions.create({ model: "gpt-4.1", messages, stream: true });
    for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
    return text;
  },
  async anthropic() {
    const { default: Anthropic } = await load("@anthropic-ai/sdk");
    const client = new Anthropic({ timeout: TIMEOUT });
    let text = "";
    const stream = await client.messages.create({
      model: "claude-sonnet-4-5", max_tokens: 100, messages, stream: true,
    });
    for await (const event of stream) text += event.delta?.text ?? "";
    return text;
  },
  async gemini() {
    const { GoogleGenAI } = await load("@google/genai");
    const client = new GoogleGenAI({
      apiKey: process.env.GEMINI_API_KEY,
      httpOptions: { baseUrl: process.env.GOOGLE_GEMINI_BASE_URL, timeout: TIMEOUT },
    });
    let text = "";
    const stream = await client.models.generateContentStream({
      model: "gemini-2.5-flash", contents: QUESTION,
    });
    for await (const chunk of stream) text += chunk.text ?? "";
    return text;
  },
  async ai() {
    const { streamText } = await load("ai");
    const { createOpenAI } = await load("@ai-sdk/openai");
    const model = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL }).chat("gpt-4.1");
    let failure;
    const { textStream } = streamText({
      model, prompt: QUESTION, abortSignal: AbortSignal.timeout(10 * TIMEOUT),
      onError: ({ error }) => { failure = error; },
    });
    let text = "";
    for await (const delta of textStream) text += delta;
    if (failure) throw failure;
    return text;
  },
};

try {
  console.log(await CALLERS[name]());
} catch (error) {
  console.log(error.constructor.name);
}
process.exit(0);
