import { TgoError } from "@tgo/errors";
import type { LocalEngine, LocalEngineOptions } from "./session.js";

/** Both platforms of the product, which must run here, natively or emulated. */
const PLATFORMS = ["linux/amd64", "linux/arm64"];

/**
 * Starts this repository's own engine if the machine has what it needs.
 * @throws TgoError ENVIRONMENT naming everything that is missing and the commands that install it
 */
export async function startLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  const { checkHost, startEngine } = await import("@tgo/local-engine");
  // Missing emulation alone is no reason to stop: published variants are verified and copied without it.
  if (checkHost().length > 0) throw missingRequirements(checkHost({ run: PLATFORMS }));
  const { signal, caBundle, credentials, mirrors, output } = options;
  const engine = await startEngine({
    signal,
    mirrors: mirrors.images,
    reachable: mirrors.indexes,
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(credentials === undefined ? {} : { keychain: credentials }),
    onEvent: (event) => {
      output.step(event);
    },
  });
  return { ...engine, name: "local engine", close: () => engine.close() };
}

function missingRequirements(problems: readonly TgoError[]): TgoError {
  const [first] = problems;
  if (problems.length === 1 && first !== undefined) return first;
  const list = problems.map(
    ({ what, remedy }) => `- ${what}${remedy === undefined ? "" : `\n    ${remedy}`}`,
  );
  return new TgoError("ENVIRONMENT", "this machine does not meet the local engine's requirements", {
    remedy: list.join("\n"),
  });
}
