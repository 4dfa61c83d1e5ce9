import { escapeControls, printableText } from "@tgo/errors";
import type { CommandProcess, Terminal } from "./command-process.js";
import type { Redactor } from "@tgo/redaction";

/**
 * stdout and stderr, with every known credential redacted, and without control characters of a catalog, a registry, a
 * program or a file: whatever forgot to escape them, they do not reach the terminal.
 */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** A text as the streams would show it. */
  readonly clean: (text: string) => string;
  /** Resolves when everything written has left this process, or its reader is gone. */
  readonly flushed: () => Promise<void>;
  /** The error that kept the result from being written, other than a closed pipe. */
  readonly writeError: () => Error | undefined;
}

/** What Dagger's engine appends to its messages for tracing tools: https://www.w3.org/TR/trace-context/ */
const TRACE = / ?\[traceparent:[0-9a-f-]+\]/g;

/** The renderers' own colours, once they have escaped what they quote. */
// eslint-disable-next-line no-control-regex
const OWN_COLOUR = /(\u001B\[[\d;]*m)/;

/** Writes to a closed pipe (`| head`) are dropped, and the run continues. */
export function openOutput(
  { stdout, stderr, env }: Pick<CommandProcess, "stdout" | "stderr" | "env">,
  redaction: Redactor,
): Output {
  const closed = new Set<Terminal>();
  let writeError: Error | undefined;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      closed.add(stream);
      if (stream === stdout && error.code !== "EPIPE") writeError = error;
    });
  }
  const clean = (text: string): string => redaction.clean(text).replaceAll(TRACE, "");
  const write =
    (stream: Terminal, printable: (text: string) => string) =>
    (text: string): void => {
      if (!closed.has(stream)) stream.write(printable(clean(text)));
    };
  const isColoured = wantsColor(stdout, env);
  const document = (text: string): string =>
    isColoured
      ? text
          .split(OWN_COLOUR)
          .map((part) => (OWN_COLOUR.test(part) ? part : escapeControls(part)))
          .join("")
      : escapeControls(text);
  const flush = (stream: Terminal): Promise<void> =>
    new Promise((resolve) => {
      if (closed.has(stream) || stream.writableLength === 0) {
        resolve();
        return;
      }
      stream.once("error", () => {
        resolve();
      });
      stream.write("", () => {
        resolve();
      });
    });
  return {
    out: write(stdout, document),
    err: write(stderr, printableText),
    clean,
    flushed: async () => {
      await Promise.all([flush(stdout), flush(stderr)]);
      // A write to a file reports its failure, such as a full disk, a moment later.
      await new Promise((resolve) => setImmediate(resolve));
    },
    writeError: () => writeError,
  };
}

/** @see https://no-color.org */
export function wantsColor(stream: Terminal, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env.NO_COLOR ?? "") !== "") return false;
  if ((env.FORCE_COLOR ?? "") !== "") return env.FORCE_COLOR !== "0";
  return stream.isTTY === true && env.TERM !== "dumb";
}
