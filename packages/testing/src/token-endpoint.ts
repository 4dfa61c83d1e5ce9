import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { TOKEN_SECONDS, parseScope, type Access, type TokenIssuer } from "./token-issuer.js";

export interface TokenEndpointOptions {
  readonly issuer: TokenIssuer;
  readonly service: string;
  readonly username: string;
  readonly password: string;
  /** The only credential, instead of the password: a refresh token. */
  readonly identityToken?: string;
  /** Whether a client without credentials may pull. */
  readonly publicPull: boolean;
}

const MAX_FORM_BYTES = 65_536;

interface TokenRequest {
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  readonly refreshToken?: string;
  readonly scopes: readonly string[];
}

/**
 * Handles both forms of a token request: GET with Basic credentials, and the OAuth2 POST.
 * @see https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/
 */
export async function handleTokenRequest(
  req: IncomingMessage,
  res: ServerResponse,
  options: TokenEndpointOptions,
): Promise<void> {
  const request = req.method === "POST" ? await readForm(req) : readQuery(req);
  const { credentials, refreshToken, scopes } = request;
  const known =
    options.identityToken === undefined
      ? credentials !== undefined &&
        same(credentials.username, options.username) &&
        same(credentials.password, options.password)
      : refreshToken !== undefined && same(refreshToken, options.identityToken);
  if (!known && (credentials !== undefined || !options.publicPull)) {
    res.writeHead(401, {
      "content-type": "application/json",
      "www-authenticate": `Basic realm="${options.service}"`,
    });
    res.end(
      JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "incorrect username or password" }] }),
    );
    return;
  }
  const access = scopes
    .map(parseScope)
    .filter((scope) => scope !== undefined)
    .map((scope) => (known ? scope : pullOnly(scope)))
    .filter((scope) => scope.actions.length > 0);
  const token = await options.issuer.sign(options.service, known ? options.username : "", access);
  res.writeHead(200, { "content-type": "application/json" });
  res.end(
    JSON.stringify({
      token,
      access_token: token,
      expires_in: TOKEN_SECONDS,
      issued_at: new Date().toISOString(),
    }),
  );
}

/** As on Docker Hub: an excessive request is granted in part, and the registry refuses later. */
function pullOnly(scope: Access): Access {
  const actions = scope.type === "repository" ? scope.actions.filter((action) => action === "pull") : [];
  return { ...scope, actions };
}

function readQuery(req: IncomingMessage): TokenRequest {
  const query = new URL(req.url ?? "/", "http://localhost").searchParams;
  return { credentials: basicCredentials(req.headers.authorization), scopes: spaced(query.getAll("scope")) };
}

async function readForm(req: IncomingMessage): Promise<TokenRequest> {
  let body = "";
  for await (const chunk of req) {
    body += String(chunk);
    if (body.length > MAX_FORM_BYTES) break;
  }
  const form = new URLSearchParams(body);
  const credentials =
    form.get("grant_type") === "password"
      ? { username: form.get("username") ?? "", password: form.get("password") ?? "" }
      : { username: "", password: "" };
  const refreshToken =
    form.get("grant_type") === "refresh_token" ? (form.get("refresh_token") ?? "") : undefined;
  return {
    credentials,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    scopes: spaced(form.getAll("scope")),
  };
}

function spaced(scopes: readonly string[]): string[] {
  return scopes.flatMap((scope) => scope.split(" ")).filter((scope) => scope !== "");
}

function basicCredentials(header: string | undefined): TokenRequest["credentials"] {
  const encoded = /^Basic (.+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
