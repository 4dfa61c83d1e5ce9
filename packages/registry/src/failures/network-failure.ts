import { TgoError } from "@tgo/errors";
import type { RetryLimits } from "./registry-failure.js";

/** No answer came. */
export class NetworkFailure {
  constructor(
    readonly error: TgoError,
    readonly patience: RetryLimits | undefined,
  ) {}
}

/** What the network stack threw, in our words; redacted by the caller. */
export function networkFailure(
  thrown: { readonly code: string; readonly text: string },
  o: { readonly server: string; readonly where: string; readonly hostname: string },
): NetworkFailure {
  const advice = ADVICE.find(({ codes }) => codes.test(thrown.code));
  return new NetworkFailure(
    // No `cause`: what the network stack throws may quote a header, and with it a credential.
    new TgoError("UNAVAILABLE", `cannot reach ${o.server}: ${thrown.text}`, {
      where: o.where,
      remedy:
        advice?.remedy ?? "Check the network and run the same command again; it continues where it stopped.",
    }),
    { tries: tries(thrown.code, o.hostname), reason: thrown.text },
  );
}

/** The answer began, and did not come to its end. */
export function connectionLost(error: TgoError): NetworkFailure {
  return new NetworkFailure(error, { tries: 5, reason: error.what });
}

/** What was to be sent could not be read: not the server's fault, but it may pass as well. */
export function sourceFailure(cause: unknown): NetworkFailure {
  const error =
    cause instanceof TgoError
      ? cause
      : new TgoError("INTERNAL", "what was to be sent cannot be read", { cause });
  const passing = error.code === "UNAVAILABLE";
  return new NetworkFailure(error, passing ? { tries: 5, reason: error.what } : undefined);
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME/;
const ADVICE: readonly { codes: RegExp; remedy: string }[] = [
  { codes: /^ECONNREFUSED$/, remedy: "Nothing listens there. Start the registry, or correct its address." },
  {
    codes: /^(?:ENOTFOUND|EAI_AGAIN)$/,
    remedy: "Check the host's spelling, and that this machine can resolve names.",
  },
  { codes: /^BAD_PORT$/, remedy: "Let the registry listen on another port, such as 5000." },
  { codes: CERTIFICATE, remedy: "Set NODE_EXTRA_CA_CERTS to the registry's CA certificate." },
  {
    codes: /SSL|EPROTO/,
    remedy: "The server does not speak TLS there. Give its address with http:// if it is a plain registry.",
  },
];

/** A name that does not resolve, a certificate that is wrong or a closed local port will not be better in 30 s. */
function tries(code: string, hostname: string): number {
  if (code === "BAD_PORT" || CERTIFICATE.test(code) || /SSL|EPROTO/.test(code)) return 1;
  if (code === "ENOTFOUND") return 2;
  // Each of these has taken its time already.
  if (code === "TIMEOUT" || code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") return 3;
  if (code === "ECONNREFUSED" && isLoopback(hostname)) return 2;
  return 5;
}

export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection closed",
  UND_ERR_SOCKET: "connection closed",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name server does not answer",
  ETIMEDOUT: "timed out",
  UND_ERR_CONNECT_TIMEOUT: "timed out",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no network",
  EPROTO: "the TLS handshake failed",
  ERR_SSL_WRONG_VERSION_NUMBER: "the TLS handshake failed",
};

/** fetch says only "fetch failed"; the reason is in the chain of causes. */
export function describe(thrown: unknown): { code: string; text: string } {
  let text = "no answer";
  for (let cause = thrown, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    text = cause.message.trim().split("\n", 1)[0] || text;
    if ("code" in cause && typeof cause.code === "string")
      return { code: cause.code, text: WORDS[cause.code] ?? text };
  }
  // The fetch standard closes some ports ("port blocking"), 1 and 6000 among them.
  return text === "bad port"
    ? { code: "BAD_PORT", text: "fetch does not connect to this port" }
    : { code: "", text };
}
