import { TgoError } from "@tgo/errors";
import * as z from "zod";
import { parseChallenges, type Challenge } from "./challenge.js";
import { basic, type Credentials } from "./credentials.js";
import { parseJson } from "../json.js";
import type { Redactor } from "../http/redact.js";
import { grants, keyOf, repositoryOf, widen, type Scope } from "./scope.js";
import type { RegistryResponse } from "../http/response.js";
import type { Call, Transport } from "../http/transport.js";

/** The answer of a token server; JSON whatever its content type says (GHCR: text/plain). */
const TokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.coerce.number().optional().catch(undefined),
});

/** distribution's token spec: a missing lifetime means 60 s, and no client need honour less. */
const SHORTEST_LIFE_S = 60;
const MAX_TOKEN_BYTES = 256 * 1024;

interface Held {
  readonly token: string;
  /** Milliseconds; from then on a new one is fetched. */
  readonly renewAt: number;
}

export interface AuthorizerOptions {
  readonly host: string;
  readonly credentials: Credentials | undefined;
  readonly transport: Transport;
  /** How to reach a URL that the registry named. */
  readonly reach: (url: URL) => URL;
  /** Where the registry itself is reached. */
  readonly origin: URL;
  readonly redactor: Redactor;
  readonly now: () => number;
}

/** Learns from the registry's first 401 how it wants to be asked, and answers for every later request. */
export class Authorizer {
  readonly #o: AuthorizerOptions;
  #challenge: Challenge | undefined;
  readonly #held = new Map<string, Held>();
  readonly #underWay = new Map<string, Promise<string>>();
  /** Scopes that the registry asked for beyond ours. */
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
   * What to send instead, after the registry refused a request that carried `sent`.
   * Undefined when there is nothing better, and the refusal stands.
   */
  async renew(
    answer: RegistryResponse,
    scopes: readonly Scope[],
    sent: string | undefined,
  ): Promise<string | undefined> {
    const challenge =
      choose(parseChallenges(answer.headers.get("www-authenticate") ?? "")) ?? this.#challenge;
    if (challenge === undefined) return undefined;
    this.#challenge = challenge;
    if (challenge.scheme === "basic") {
      const header = this.#basic();
      return header === sent ? undefined : header;
    }
    const wanted = widen(scopes, challenge.parameters["scope"]);
    if (keyOf(wanted) !== keyOf(scopes)) this.#learned.set(keyOf(scopes), wanted);
    for (const [key, held] of this.#held) if (`Bearer ${held.token}` === sent) this.#held.delete(key);
    return `Bearer ${await this.#token(challenge, wanted)}`;
  }

  #basic(): string | undefined {
    const { credentials } = this.#o;
    if (credentials === undefined || "identityToken" in credentials) return undefined;
    return basic(credentials.username, credentials.password);
  }

  async #token(challenge: Challenge, scopes: readonly Scope[]): Promise<string> {
    const key = keyOf(scopes);
    const held = this.#held.get(key) ?? this.#wider(scopes);
    if (held !== undefined && held.renewAt > this.#o.now()) return held.token;
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const fetching = this.#fetch(challenge, scopes)
      .then((fresh) => {
        this.#held.set(key, fresh);
        return fresh.token;
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, fetching);
    return fetching;
  }

  /** A token that allows all this and more: who may push to a repository may read it. */
  #wider(scopes: readonly Scope[]): Held | undefined {
    if (scopes.length === 0) return undefined;
    for (const [key, held] of this.#held) {
      if (grants(key, scopes) && held.renewAt > this.#o.now()) return held;
    }
    return undefined;
  }

  async #fetch(challenge: Challenge, scopes: readonly Scope[]): Promise<Held> {
    const { transport, host, redactor, now } = this.#o;
    const call = this.#call(challenge, scopes);
    const asked = now();
    const answer = await transport.send(call);
    if (!answer.ok) throw await transport.refusal(answer);
    const text = new TextDecoder().decode(await answer.bytes(MAX_TOKEN_BYTES));
    const body = TokenAnswer.safeParse(parseJson(text));
    const token = body.data?.token ?? body.data?.access_token;
    if (body.data === undefined || token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
      // The body is not shown: it may be a token in a shape we do not know.
      throw new TgoError("INVALID_RESPONSE", `the login server of ${host} sent no token`, {
        where: call.where,
        remedy: `Check ${call.url.origin}${call.url.pathname}: it should answer JSON with a "token".`,
      });
    }
    redactor.add(token);
    const lifeMs = Math.max(body.data.expires_in ?? SHORTEST_LIFE_S, SHORTEST_LIFE_S) * 1000;
    return { token, renewAt: asked + lifeMs - Math.min(30_000, lifeMs / 4) };
  }

  #call(challenge: Challenge, scopes: readonly Scope[]): Call {
    const { host, credentials } = this.#o;
    const where =
      scopes.length === 0 ? host : scopes.map((scope) => `${host}/${repositoryOf(scope)}`).join(", ");
    const realm = this.#realm(challenge, where);
    const common = { where, doing: "log in", stage: "token", whole: MAX_TOKEN_BYTES } as const;
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
    const text = challenge.parameters["realm"] ?? "";
    const url = URL.canParse(text, this.#o.origin.href)
      ? this.#o.reach(new URL(text, this.#o.origin))
      : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw new TgoError("INVALID_RESPONSE", `the registry names no usable login server (realm "${text}")`, {
        where,
      });
    }
    if (url.protocol === "http:" && this.#o.origin.protocol === "https:") {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the registry wants the login at ${url.origin}, which is not encrypted`,
        {
          where,
          remedy: "Credentials are not sent there. Correct the registry's token realm to https.",
        },
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
