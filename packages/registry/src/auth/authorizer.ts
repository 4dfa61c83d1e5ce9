import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import type { RegistryRequest } from "../http/request.js";
import type { Redactor } from "@tgo/redaction";
import type { RegistryResponse } from "../http/response.js";
import type { Transport } from "../http/transport.js";
import { parseJson } from "../json.js";
import { parseChallenges, type Challenge } from "./challenge.js";
import { basic, type Credentials } from "./credentials.js";
import { grants, keyOf, repositoryOf, widen, type Scope } from "./scope.js";

/** A token server's response; JSON whatever its content type says (GHCR: text/plain). */
const TokenResponse = v.object({
  token: v.optional(v.string()),
  access_token: v.optional(v.string()),
  expires_in: v.optional(v.unknown()),
});

/** distribution's token spec: a missing lifetime means 60 s, and clients need not honour a shorter one. */
const MIN_LIFETIME_S = 60;
const MAX_TOKEN_BYTES = 256 * 1024;
/** The longest address of a login server. */
const MAX_REALM = 2048;

interface CachedToken {
  readonly token: string;
  /** Milliseconds; from then on a new one is fetched. */
  readonly renewAt: number;
}

export interface AuthorizerOptions {
  readonly host: string;
  readonly credentials: Credentials | undefined;
  readonly transport: Pick<Transport, "send" | "errorOf">;
  /** How to reach a URL that the registry named. */
  readonly reach: (url: URL) => URL;
  /** Where the registry itself is reached. */
  readonly origin: URL;
  readonly redactor: Redactor;
  readonly now: () => number;
}

/** Learns from the registry's first 401 which authorization it wants, and provides it for every later request. */
export class Authorizer {
  readonly #o: AuthorizerOptions;
  #challenge: Challenge | undefined;
  readonly #tokens = new Map<string, CachedToken>();
  /** Whether the login server has given these credentials a token. */
  #granted = false;
  readonly #fetching = new Map<string, Promise<string>>();
  /** Scopes that the registry requested beyond ours. */
  readonly #learned = new Map<string, readonly Scope[]>();

  constructor(options: AuthorizerOptions) {
    this.#o = options;
  }

  /** The value of `Authorization` for a request that needs these scopes, or undefined. */
  async header(scopes: readonly Scope[]): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === "basic") return this.#basic();
    return `Bearer ${await this.#token(this.#challenge, this.#learned.get(keyOf(scopes)) ?? scopes)}`;
  }

  /**
   * The header to send instead, after the registry refused a request that carried `sent`.
   * Undefined when there is nothing better, and the refusal is final.
   */
  async renew(
    response: RegistryResponse,
    scopes: readonly Scope[],
    sent: string | undefined,
  ): Promise<string | undefined> {
    const challenge =
      choose(parseChallenges(response.headers.get("www-authenticate") ?? "")) ?? this.#challenge;
    if (challenge === undefined) return undefined;
    this.#challenge = challenge;
    if (challenge.scheme === "basic") {
      const header = this.#basic();
      return header === sent ? undefined : header;
    }
    const wanted = widen(scopes, challenge.parameters["scope"]);
    if (keyOf(wanted) !== keyOf(scopes)) this.#learned.set(keyOf(scopes), wanted);
    for (const [key, { token }] of this.#tokens) if (`Bearer ${token}` === sent) this.#tokens.delete(key);
    return `Bearer ${await this.#token(challenge, wanted)}`;
  }

  #basic(): string | undefined {
    const { credentials } = this.#o;
    if (credentials === undefined || "identityToken" in credentials) return undefined;
    return basic(credentials.username, credentials.password);
  }

  async #token(challenge: Challenge, scopes: readonly Scope[]): Promise<string> {
    const key = keyOf(scopes);
    const cached = this.#tokens.get(key) ?? this.#wider(scopes);
    if (cached !== undefined && cached.renewAt > this.#o.now()) return cached.token;
    const pending = this.#fetching.get(key);
    if (pending !== undefined) return pending;
    const fetching = this.#fetch(challenge, scopes)
      .then((fresh) => {
        this.#tokens.set(key, fresh);
        return fresh.token;
      })
      .finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetching);
    return fetching;
  }

  /** A token that grants all this and more: a client that may push to a repository may read it. */
  #wider(scopes: readonly Scope[]): CachedToken | undefined {
    if (scopes.length === 0) return undefined;
    for (const [key, cached] of this.#tokens) {
      if (grants(key, scopes) && cached.renewAt > this.#o.now()) return cached;
    }
    return undefined;
  }

  async #fetch(challenge: Challenge, scopes: readonly Scope[]): Promise<CachedToken> {
    const { transport, host, redactor, now } = this.#o;
    const call = this.#call(challenge, scopes);
    const requested = now();
    const response = await transport.send(call);
    if (!response.ok) throw await transport.errorOf(response);
    const text = new TextDecoder().decode(await response.bytes(MAX_TOKEN_BYTES));
    const body = v.outputOf(TokenResponse, parseJson(text));
    const token = body?.token ?? body?.access_token;
    if (body === undefined || token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
      // The body is not shown: it may be a token in an unknown shape.
      throw new TgoError("INVALID_RESPONSE", `the login server of ${host} sent no token`, {
        where: call.where,
        remedy: `Check ${call.url.origin}${call.url.pathname}: it should return JSON with a "token".`,
      });
    }
    redactor.add(token);
    this.#granted = true;
    // Some servers send a string.
    const lifetime = Number(body.expires_in);
    const lifetimeMs = Math.max(Number.isFinite(lifetime) ? lifetime : 0, MIN_LIFETIME_S) * 1000;
    return { token, renewAt: requested + lifetimeMs - Math.min(30_000, lifetimeMs / 4) };
  }

  #call(challenge: Challenge, scopes: readonly Scope[]): RegistryRequest {
    const { host, credentials } = this.#o;
    const where =
      scopes.length === 0 ? host : scopes.map((scope) => `${host}/${repositoryOf(scope)}`).join(", ");
    const realm = this.#realm(challenge, where);
    const granted = this.#granted && credentials !== undefined;
    const common = { where, action: "log in", stage: "token", buffer: MAX_TOKEN_BYTES, granted } as const;
    const service = challenge.parameters["service"];
    if (credentials !== undefined && "identityToken" in credentials) {
      // https://distribution.github.io/distribution/spec/auth/oauth/#refresh-token-format
      const form = new URLSearchParams({
        grant_type: "refresh_token",
        client_id: "tgo",
        ...(service === undefined ? {} : { service }),
      });
      if (scopes.length > 0) form.set("scope", scopes.join(" "));
      form.set("refresh_token", credentials.identityToken);
      const bytes = new TextEncoder().encode(form.toString());
      return {
        ...common,
        method: "POST",
        url: realm,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: { size: bytes.length, open: () => bytes },
      };
    }
    // https://distribution.github.io/distribution/spec/auth/token/#requesting-a-token
    if (service !== undefined) realm.searchParams.set("service", service);
    for (const scope of scopes) realm.searchParams.append("scope", scope);
    const authorization = this.#basic();
    return {
      ...common,
      method: "GET",
      url: realm,
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    };
  }

  #realm(challenge: Challenge, where: string): URL {
    const { origin, reach } = this.#o;
    const text = challenge.parameters["realm"] ?? "";
    const named = URL.canParse(text, origin.href) ? new URL(text, origin) : undefined;
    const isUsable =
      named !== undefined &&
      text.length <= MAX_REALM &&
      /^https?:$/.test(named.protocol) &&
      named.username === "" &&
      named.password === "";
    if (!isUsable) {
      // Without what may be a password.
      const shown = text.replace(/\/\/[^/]*@/, "//***@").slice(0, 100);
      throw new TgoError("INVALID_RESPONSE", `the registry names no usable login server (realm "${shown}")`, {
        where,
      });
    }
    const url = reach(named);
    if (url.protocol === "http:" && origin.protocol === "https:") {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the registry wants the login at ${url.origin}, which is not encrypted`,
        { where, remedy: "Credentials are not sent there. Correct the registry's token realm to https." },
      );
    }
    return url;
  }
}

/** Bearer before Basic: a registry that offers both prefers tokens. */
function choose(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== undefined) ??
    challenges.find(({ scheme }) => scheme === "basic")
  );
}
