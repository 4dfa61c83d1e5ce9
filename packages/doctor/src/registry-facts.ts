import { problemOf } from "@tgo/errors";
import { skewSeconds } from "@tgo/publishing";
import { Registry, type RegistryOptions } from "@tgo/registry";
import type { RegistryFacts } from "./host-facts.js";

const TIMEOUTS = { timeoutMs: 5000, retries: 1, totalMs: 10_000 };

/** Whether a registry accepts pushes: an upload is begun and cancelled, so nothing is stored. Never throws. */
export async function registryFacts(
  { name, required, repository }: Pick<RegistryFacts, "name" | "required" | "repository">,
  options: RegistryOptions,
): Promise<RegistryFacts> {
  const hasLogin = options.credentials !== undefined;
  const facts = { name, host: options.host, required, repository, hasLogin };
  try {
    const client = new Registry({ ...options, ...TIMEOUTS });
    const sent = Date.now();
    const { date } = await client.probePush(repository);
    return {
      ...facts,
      push: { skewSeconds: date === undefined ? undefined : skewSeconds(date, sent, Date.now()) },
    };
  } catch (error) {
    return { ...facts, push: { problem: problemOf(error) } };
  }
}
