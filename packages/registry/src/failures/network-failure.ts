import { TgoError } from "@tgo/errors";
import { isLoopback } from "../loopback.js";
import { USUAL_ATTEMPTS, type RetryPolicy } from "./retry-policy.js";

/** A connection that broke. */
class ConnectionError extends TgoError {
  constructor(
    what: string,
    details: { readonly where: string; readonly remedy: string },
    /** In all, the first one included. */
    readonly attempts: number,
  ) {
    super("UNAVAILABLE", what, details);
  }
}

/** How often a request is sent that fails like this, the first attempt included. */
export function attemptsOf(error: TgoError): number {
  return error instanceof ConnectionError ? error.attempts : USUAL_ATTEMPTS;
}

/** No response came, or not all of it. */
export class NetworkFailure {
  constructor(
    readonly error: TgoError,
    /** Undefined: retrying does not help. */
    readonly retry: RetryPolicy | undefined,
  ) {}
}

/** What the network stack threw, in our words. @param thrown redacted */
export function networkFailure(
  thrown: { readonly code: string; readonly text: string },
  { server, where, hostname }: { readonly server: string; readonly where: string; readonly hostname: string },
): NetworkFailure {
  const advice = ADVICE.find(({ codes }) => codes.test(thrown.code));
  const remedy =
    advice?.remedy ?? "Check the network and run the same command again; it continues where it stopped.";
  // No `cause`: what the network stack throws may quote a header, and with it a credential.
  const error = new ConnectionError(
    `cannot reach ${server}: ${thrown.text}`,
    { where, remedy },
    attempts(thrown.code, hostname),
  );
  return new NetworkFailure(error, { attempts: error.attempts, reason: thrown.text });
}

/** The response began and broke off. */
export function connectionLost(error: TgoError): NetworkFailure {
  return new NetworkFailure(error, { attempts: attemptsOf(error), reason: error.what });
}

/** The source of an upload could not be read: not this server's failure, but it may be transient too. */
export function sourceFailure(cause: unknown): NetworkFailure {
  const error =
    cause instanceof TgoError
      ? cause
      : new TgoError("INTERNAL", "the content to upload cannot be read", { cause });
  return error.code === "UNAVAILABLE" ? connectionLost(error) : new NetworkFailure(error, undefined);
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME/;
const ADVICE: readonly { codes: RegExp; remedy: string }[] = [
  { codes: /^ECONNREFUSED$/, remedy: "Nothing listens there. Start the registry, or correct its address." },
  {
    codes: /^(?:ENOTFOUND|EAI_AGAIN)$/,
    remedy: "Check the host's spelling, and that this machine can resolve names.",
  },
  { codes: /^BAD_PORT$/, remedy: "Let the registry listen on another port, such as 5000." },
  {
    codes: /CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/,
    remedy:
      "Set this machine's clock if it is wrong; else the registry's operator has to renew the certificate.",
  },
  {
    codes: /ALTNAME/,
    remedy: "The certificate is for another host: correct the registry's address, or have the name added.",
  },
  { codes: CERTIFICATE, remedy: "Set NODE_EXTRA_CA_CERTS to the registry's CA certificate." },
  {
    codes: /SSL|EPROTO/,
    remedy: "The server does not speak TLS there. Give its address with http:// if it is a plain registry.",
  },
];

/** An unknown name, a wrong certificate or a closed local port will be no better in 30 s. */
function attempts(code: string, hostname: string): number {
  // A server that sends nothing, or hardly anything, has had its chance.
  if (code === "TIMEOUT" || code === "TOO_SLOW") return 1;
  if (code === "BAD_PORT" || CERTIFICATE.test(code) || /SSL|EPROTO|HEADERS_OVERFLOW/.test(code)) return 1;
  if (code === "ENOTFOUND" || code === "STALLED") return 2;
  // Each timeout has taken its time already: ten seconds.
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") return 3;
  if (code === "ECONNREFUSED" && isLoopback(hostname)) return 2;
  return USUAL_ATTEMPTS;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection closed",
  UND_ERR_SOCKET: "connection closed",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name server does not respond",
  ETIMEDOUT: "timed out",
  UND_ERR_CONNECT_TIMEOUT: "timed out",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no network",
  EPROTO: "the TLS handshake failed",
  ERR_SSL_WRONG_VERSION_NUMBER: "the TLS handshake failed",
};

/** fetch says only "fetch failed"; the reason is in the chain of causes. */
export function describe(thrown: unknown): { code: string; text: string } {
  let text = "no response";
  for (let cause = thrown, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    text = cause.message.trim().split("\n", 1)[0] || text;
    if ("code" in cause && typeof cause.code === "string")
      return { code: cause.code, text: WORDS[cause.code] ?? text };
  }
  // The fetch standard blocks some ports ("port blocking"), 1 and 6000 among them.
  return text === "bad port"
    ? { code: "BAD_PORT", text: "fetch does not connect to this port" }
    : { code: "", text };
}
