// Types of tapecheck-client.mjs, which may be copied with it.

/** A call that the client has to make. docs/CLIENT_PROTOCOL.md explains the fields. */
export interface Call {
  readonly id: number;
  /** The wire format at base_url, such as "openai-chat". */
  readonly dialect: string;
  /** In place of the provider's own, without a slash at its end. */
  readonly base_url: string;
  readonly api_key: string;
  readonly model: string;
  /** Messages, tools and options have the form of Chat Completions. */
  readonly messages: readonly Record<string, any>[];
  readonly tools: readonly Record<string, any>[];
  readonly options: Readonly<Record<string, any>>;
  readonly stream: boolean;
  /** The longest wait for the next byte, in seconds. */
  readonly timeout: number;
  readonly max_retries: number;
  /** What the provider's own SDK takes for this call, without stream. Absent where the dialect cannot say the call. */
  readonly arguments?: any;
  /** Aborted when the call is cancelled. */
  readonly signal: AbortSignal;
}

export type Feature =
  | "streaming" | "non_streaming" | "tools" | "reasoning" | "refusal" | "citations" | "retries" | "think_tags"
  | "return_reasoning" | "multi_turn" | "legacy_functions" | "structured_output" | "audio" | "multiple_choices"
  | "hosted_tools" | "inner_thoughts" | "assistant_message_tool" | "usage_estimate" | "byte_estimate"
  | "message_ids" | "background" | "resume" | "oauth" | "native_responses" | "generate";

export type Exposable =
  | "response_id" | "model" | "finish_reason" | "raw_finish_reason" | "usage" | "usage_details" | "reasoning"
  | "signatures" | "citations" | "images" | "assembly" | "tool_deltas" | "arguments_raw" | "error_code"
  | "error_message" | "error_status" | "request_id" | "retry_after" | "retryable" | "hosted_tools" | "warnings";

/** What the client declares about itself. */
export interface Declaration {
  name: string;
  dialects: string[];
  features: Feature[];
  /** The classes of exceptions that the client documents, or their names. Default: any is documented. */
  failures?: (string | (abstract new (...given: any[]) => Error))[];
  version?: string;
  profile?: "chunks" | "accumulator" | "framework" | "translator";
  exposes?: Exposable[];
  errors?: "class" | "family" | "none";
  /** "none" for a client that waits for ever on a silent stream. */
  idle_timeout?: "none" | true;
  granularity?: "any" | "exact";
  level?: "must" | "should" | "may";
}

/** What exactly is handed on; see event, turn, native and nativeTurn. */
export declare class Said {
  private constructor();
}

/** Anything else is a chunk or event of the SDK; in a call that is not streamed, the whole answer. */
export type Produced = Said | object | string;

export declare const PROTOCOL: 1;

/** A normalized event, of stream_event.schema.json. */
export declare function event(data: { type: string; [field: string]: unknown }): Said;
/** The final normalized turn, of assistant_turn.schema.json. */
export declare function turn(data: { status: string; parts: object[]; [field: string]: unknown }): Said;
/** A chunk or event of the SDK; form is the dialect in whose words it is. */
export declare function native(data: unknown, form?: string): Said;
/** The whole answer, as the SDK returned or assembled it. */
export declare function nativeTurn(data: unknown, form?: string): Said;

/** The call could not be made, through no fault of the client. */
export declare class NotRun extends Error {}

/** Says which releases of packages the program finds, and of Node.js, for a declaration's version. */
export declare function versions(...packages: string[]): string;

/** Hands on any async iterable, such as the stream that an SDK returns. */
export declare function fromIterable<T>(iterable: AsyncIterable<T> | Promise<AsyncIterable<T>>): AsyncGenerator<T>;

/** What an exception of an SDK says, as data. */
export declare function described(error: unknown): { names: string[]; message: string; [field: string]: unknown };

/** Answers the harness until it closes stdin. */
export declare function serve(
  declaration: Declaration,
  make: (call: Call) => AsyncIterable<Produced> | Iterable<Produced> | Promise<Produced | void> | Produced | void,
): void;
