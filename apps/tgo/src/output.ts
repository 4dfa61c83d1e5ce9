import type { CliProcess, Terminal } from "./process.js";
import type { Redaction } from "./redaction.js";

/** The two streams, with every known credential taken out. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** A text as the streams have it. */
  readonly clean: (text: string) => string;
  /** Fulfilled when everything written has left this process, or nobody reads it. */
  readonly flushed: () => Promise<void>;
  /** What stopped the result from being written, other than a reader that has gone. */
  readonly lost: () => Error | undefined;
}

/** What Dagger's engine adds to its messages for tracing tools; people can do nothing with it. */
const TRACE = / ?\[traceparent:[0-9a-f-]+\]/g;

/** Writes to a pipe that nobody reads any more (`| head`) are dropped: the work goes on, quietly. */
export function openOutput(
  { stdout, stderr }: Pick<CliProcess, "stdout" | "stderr">,
  redaction: Redaction,
): Output {
  const closed = new Set<Terminal>();
  let lost: Error | undefined;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      closed.add(stream);
      if (stream === stdout && error.code !== "EPIPE") lost = error;
    });
  }
  const clean = (text: string): string => redaction.clean(text).replaceAll(TRACE, "");
  const write =
    (stream: Terminal) =>
    (text: string): void => {
      if (!closed.has(stream)) stream.write(clean(text));
    };
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
    out: write(stdout),
    err: write(stderr),
    clean,
    flushed: async () => {
      await Promise.all([flush(stdout), flush(stderr)]);
    },
    lost: () => lost,
  };
}

/** @see https://no-color.org */
export function wantsColor(stream: Terminal, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env.NO_COLOR ?? "") !== "") return false;
  if ((env.FORCE_COLOR ?? "") !== "") return env.FORCE_COLOR !== "0";
  return stream.isTTY === true && env.TERM !== "dumb";
}
