import type { Health } from "./finding.js";

/** The first http URL of a health check's command on the container itself. */
export function healthOfCommand(command: string, from: string): Health | undefined {
  const [, port, path] =
    /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(\/[^\s"'|;)\\]*)?/.exec(command) ??
    [];
  if (port === undefined && path === undefined) return undefined;
  return { port: Number(port ?? 80), path: path ?? "/", from };
}

/** Usual paths of health requests, in quotes, as a route in a program's text. */
const ROUTE = /["'`](\/(?:api\/)?(?:health|healthz|livez|readyz|ping|status)\/?)["'`]/;

/** The path of a route in a program's text that is usually for health requests. */
export function healthRoute(text: string): string | undefined {
  return ROUTE.exec(text)?.[1];
}
