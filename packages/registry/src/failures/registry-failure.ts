import * as v from "@tgo/schemas";
import { firstBytes } from "../manifest-schemas.js";
import { parseJson } from "../json.js";

/** A failed response of a registry or its token server. */
export interface RegistryFailure {
  /** The registry as references name it. */
  readonly host: string;
  /** Repository and reference, as far as known: the `where` of the error. */
  readonly where: string;
  /** What was attempted: "push the manifest". */
  readonly action: string;
  readonly stage: "registry" | "token";
  readonly method: string;
  readonly status: number;
  /** The body, without secrets. Empty in response to HEAD. */
  readonly text: string;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  /** The scheme that `WWW-Authenticate` names first. */
  readonly scheme: string | undefined;
  /** Whether it names a token that grants too little, by RFC 6750's `error`. */
  readonly lacksScope?: boolean;
  readonly identity: "anonymous" | "credentials";
  /** The manifest that was sent: its media type and size. */
  readonly sent?: string;
  /** Whether these credentials were accepted before. */
  readonly granted?: boolean;
}

/** A page for a browser. */
export function isHtml(failure: RegistryFailure): boolean {
  return failure.contentType.includes("html") || /^\s*<(?:!doctype|html)/i.test(failure.text);
}

const Text = v.optional(v.string());

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
const ErrorBody = v.object({
  errors: v.array(v.object({ code: Text, message: Text, detail: v.optional(v.unknown()) })),
});
/** Token servers: `{"details": "incorrect username or password"}`, `{"error": "…", "error_description": "…"}` … */
const TokenErrorBody = v.object({ details: Text, message: Text, error_description: Text, error: Text });

/** Whether the body is what the specification wants of an error. */
export function isRegistryError({ text }: RegistryFailure): boolean {
  return v.outputOf(ErrorBody, parseJson(text)) !== undefined;
}

/** "detail" is unstructured; words in it are the cause that the message leaves out. */
function detailWords(detail: unknown): string[] {
  const words = v.outputOf(v.union([v.string(), v.object({ message: v.string() })]), detail);
  const text = typeof words === "string" ? words : (words?.message ?? "");
  return text === "" ? [] : [firstBytes(text)];
}

/** The server's own words on one line. */
export function registryMessage(failure: RegistryFailure): string {
  const json = parseJson(failure.text);
  const body = v.outputOf(ErrorBody, json);
  if (body !== undefined && body.errors.length > 0) {
    const words = body.errors.map(({ code, message, detail }) =>
      [[code, message].filter(Boolean).join(" "), ...detailWords(detail)].join(": "),
    );
    return [...new Set(words)].slice(0, 3).join("; ");
  }
  const token = v.outputOf(TokenErrorBody, json);
  const words = token?.details ?? token?.message ?? token?.error_description ?? token?.error;
  if (words !== undefined) return words;
  return failure.text === "" ? `an empty response (${failure.status})` : firstBytes(failure.text);
}

/** `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), in milliseconds. */
export function retryAfterMs(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d+$/.test(retryAfter.trim())) return Number(retryAfter) * 1000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

const GO_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** GHCR puts the delay into its message as a Go duration ("880.092µs", "1m30s"); in milliseconds. */
export function goDuration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parts = [...text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (GO_UNITS[unit ?? ""] ?? 0), 0);
}
