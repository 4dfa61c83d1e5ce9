/** Usual paths of health requests, in quotes, as a route in a program's text. */
const ROUTE = /["'`](\/(?:api\/)?(?:health|healthz|livez|readyz|ping|status)\/?)["'`]/;

/** The path of a route in a program's text that is usually for health requests. */
export function healthRoute(text: string): string | undefined {
  return ROUTE.exec(text)?.[1];
}
