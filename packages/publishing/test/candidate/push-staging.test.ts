import type { Client, Container, Secret } from "@dagger.io/dagger";
import type { Variant } from "@tgo/builders";
import type { Credentials } from "@tgo/registry";
import { expect, it } from "vitest";
import { pushStaging } from "../../src/candidate/push-staging.js";
import type { Target } from "../../src/targets/target.js";

/** What the engine was told before it pushed: the registry, the user and the secret. */
async function loginOf(credentials: Credentials | undefined): Promise<unknown[]> {
  const told: unknown[] = [];
  const container = {
    withRegistryAuth: (...login: unknown[]) => {
      told.push(...login);
      return container;
    },
    publish: (reference: string) => Promise.resolve(reference),
  };
  const client = {
    setSecret: (name: string, plaintext: string) => ({ name, plaintext }) as unknown as Secret,
  };
  const registry = { host: "acr.example.com", repository: "tgoai/{service}" };
  const target = { name: "acr", registry, credentials } as unknown as Target;
  const variants = [{ platform: "linux/amd64", container: container as unknown as Container }] as Variant[];
  const upload = { target, service: "tgo-api", variants, tag: "staging-1" };
  expect(await pushStaging({ client: client as unknown as Client }, upload)).toBe(
    "acr.example.com/tgoai/tgo-api:staging-1",
  );
  return told;
}

it("the engine gets a registry's password, or its identity token without a user", async () => {
  expect(await loginOf({ username: "robot", password: "correct-horse" })).toEqual([
    "acr.example.com",
    "robot",
    { name: "registry-password-acr", plaintext: "correct-horse" },
  ]);
  expect(await loginOf({ identityToken: "refresh-0123" })).toEqual([
    "acr.example.com",
    "",
    { name: "registry-password-acr", plaintext: "refresh-0123" },
  ]);
  expect(await loginOf(undefined)).toEqual([]);
});
