import { TgoError } from "@tgo/errors";
import { firstBytes } from "./manifest-schemas.js";
import type { Connection } from "./http/connection.js";
import type { RegistryResponse } from "./http/response.js";

const REMEDY =
  "Check the host and the port; a web server, proxy or login page may be responding in its place.";

/** Checks that a registry responds and accepts the credentials: distribution-spec, "Determining Support". */
export async function ping(connection: Connection): Promise<void> {
  const url = new URL("/v2/", connection.origin);
  const response = await connection.follow(
    { method: "GET", url, where: connection.host, action: "query the registry API" },
    [],
  );
  const text = await response.text();
  const isRegistry = response.headers.has("docker-distribution-api-version") || !isPage(response, text);
  if (response.status === 404 || (response.ok && !isRegistry)) {
    const seen = `it responds ${response.status} and ${firstBytes(text)}`;
    throw new TgoError(
      "INVALID_RESPONSE",
      `${connection.origin.origin} is not a container registry: ${seen}`,
      {
        where: connection.host,
        remedy: REMEDY,
      },
    );
  }
  if (!response.ok) throw await connection.transport.errorOf(response);
}

/** A web server's 404 does not mean that a registry lacks something. @throws TgoError INVALID_RESPONSE */
export function assertRegistry(response: RegistryResponse, { origin }: Connection): void {
  if (!isPage(response, "")) return;
  throw new TgoError(
    "INVALID_RESPONSE",
    `${origin.origin} is not a container registry, or its front end is down: it responds 404 with an HTML page`,
    { where: response.call.where, remedy: REMEDY },
  );
}

function isPage(response: RegistryResponse, text: string): boolean {
  return response.headers.get("content-type")?.includes("html") === true || /^\s*</.test(text);
}
