import { TgoError } from "@tgo/errors";
import type { LocalEngine, LocalEngineOptions } from "./session.js";

/** Both platforms of the product: what must be able to run here, natively or emulated. */
const PLATFORMS = ["linux/amd64", "linux/arm64"];

/**
 * Starts the engine of this repository, when the machine has what it needs.
 * @throws TgoError ENVIRONMENT naming everything that is missing and the commands that install it
 */
export async function startLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  const { checkHost, startEngine } = await import("@tgo/local-engine");
  // Missing emulation alone stops nothing yet: what is published already is verified and copied without it.
  if (checkHost().length > 0) throw lacking(checkHost({ run: PLATFORMS }));
  const { signal, caBundle, credentials, mirrors, onLine } = options;
  const engine = await startEngine({
    signal,
    caBundle,
    keychain: credentials,
    mirrors,
    onEvent: ({ kind, title, platform, state, line }) => {
      const what = [kind, platform, title].filter((part) => part !== undefined).join(" ");
      onLine?.(state === "line" ? (line ?? "") : `${what} [${state}]`);
    },
  });
  return { ...engine, name: "embedded engine", close: () => engine.close() };
}

function lacking(problems: readonly TgoError[]): TgoError {
  const [first] = problems;
  if (problems.length === 1 && first !== undefined) return first;
  const list = problems.map(
    ({ what, remedy }) => `- ${what}${remedy === undefined ? "" : `\n    ${remedy}`}`,
  );
  return new TgoError("ENVIRONMENT", "this machine lacks what the embedded engine needs", {
    remedy: list.join("\n"),
  });
}
