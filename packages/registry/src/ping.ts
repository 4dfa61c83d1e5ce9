import { TgoError } from "@tgo/errors";
import type { RegistryResponse } from "./http/response.js";
import type { Connection } from "./http/connection.js";
import { firstBytes } from "./documents.js";

const REMEDY =
  "Check the host and the port; a web server, proxy or login page may be answering in its place.";

/** Asks whether a registry answers and lets us in: distribution-spec, "Determining Support". */
export async function ping(connection: Connection): Promise<void> {
  const url = new URL("/v2/", connection.origin);
  const answer = await connection.follow(
    { method: "GET", url, where: connection.host, doing: "answer as a registry" },
    [],
  );
  const text = await answer.text();
  const isRegistry = answer.headers.has("docker-distribution-api-version") || !isPage(answer, text);
  if (answer.status === 404 || (answer.ok && !isRegistry)) {
    const said = `it answers ${answer.status} and ${firstBytes(text)}`;
    throw new TgoError("INVALID_RESPONSE", `${connection.origin.origin} is no container registry: ${said}`, {
      where: connection.host,
      remedy: REMEDY,
    });
  }
  if (!answer.ok) throw await connection.transport.refusal(answer);
}

/** A web server's 404 does not say that a registry lacks something. @throws TgoError INVALID_RESPONSE */
export function assertRegistry(answer: RegistryResponse, { origin }: Connection): void {
  if (!isPage(answer, "")) return;
  throw new TgoError(
    "INVALID_RESPONSE",
    `${origin.origin} is no container registry, or its front end is down: it answers 404 with an HTML page`,
    { where: answer.call.where, remedy: REMEDY },
  );
}

function isPage(answer: RegistryResponse, text: string): boolean {
  return answer.headers.get("content-type")?.includes("html") === true || /^\s*</.test(text);
}
