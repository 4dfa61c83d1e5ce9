/** A request that a health check sends to its own container. */
export interface HealthRequest {
  readonly port: number;
  readonly path: string;
}

/** A URL of the container itself; after the host comes a port, a path, or the URL's end. */
const OWN_URL =
  /(?<!\w)(?<quote>["'`]?)http:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(?<port>\d{1,5}))?(?=[/?#\s"'`\\;|&)<>]|$)(?<path>\/[^\s"'`\\#]*)?/gi;

/**
 * The first http URL of the container itself in a health check's command. Not one of which a variable decides the port or
 * path, nor https: a plain request would not be answered.
 * @param command as a shell or JSON has it: a URL in quotes ends with them, another one where a shell ends the word
 */
export function healthRequest(command: string): HealthRequest | undefined {
  for (const { groups: { quote = "", port = "80", path = "/" } = {} } of command.matchAll(OWN_URL)) {
    const whole = quote === "" ? path.replace(/[;|&)<>].*$/, "") : path;
    const number = Number(port);
    if (number > 0 && number < 65_536 && !whole.includes("$")) return { port: number, path: whole };
  }
  return undefined;
}
