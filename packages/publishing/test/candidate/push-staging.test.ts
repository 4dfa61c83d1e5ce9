import type { Client, Container, Secret } from "@dagger.io/dagger";
import type { Variant } from "@tgo/builders";
import type { Credentials } from "@tgo/registry";
import { formatEvent, Progress } from "@tgo/progress";
import { kindOfTag } from "@tgo/release-rules";
import { expect, it } from "vitest";
import { pushStaging } from "../../src/candidate/push-staging.js";
import type { Target } from "../../src/targets/target.js";

/** Pushes with an engine that answers like this, and counts the time limit in milliseconds. */
async function push(
  publish: (reference: string) => Promise<string>,
  { credentials, login = () => undefined }: Partial<Login> = {},
): Promise<{ readonly digest: Promise<string>; readonly notes: readonly string[] }> {
  const container = {
    withRegistryAuth: (...given: unknown[]) => {
      login(given);
      return container;
    },
    publish,
  };
  const client = {
    setSecret: (name: string, plaintext: string) => ({ name, plaintext }) as unknown as Secret,
  } as unknown as Client;
  const registry = { host: "acr.example.com", repository: "tgoai/{service}", names: {} };
  const target = { name: "acr", registry, credentials } as unknown as Target;
  const variants = [{ platform: "linux/amd64", container: container as unknown as Container }] as Variant[];
  const notes: string[] = [];
  const progress = new Progress((event) => notes.push(formatEvent(event)));
  const upload = { target, service: "tgo-api", variants, tag: "staging-0123456789abcdef", limitMs: 10 };
  const digest = pushStaging({ client, progress }, upload);
  await digest.catch(() => undefined);
  return { digest, notes };
}

interface Login {
  readonly credentials: Credentials | undefined;
  readonly login: (given: readonly unknown[]) => void;
}

/** What the engine was told before it pushed: the registry, the user and the secret. */
async function loginOf(credentials: Credentials | undefined): Promise<unknown[]> {
  const told: unknown[] = [];
  const { digest } = await push((reference) => Promise.resolve(`${reference}@sha256:1`), {
    credentials,
    login: (given) => told.push(...given),
  });
  expect(await digest).toBe("sha256:1");
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

it("an upload that stalls is begun once more, under another tag that prune knows", async () => {
  const asked: string[] = [];
  const { digest, notes } = await push((reference) => {
    asked.push(reference);
    return asked.length === 1 ? new Promise(() => undefined) : Promise.resolve(`${reference}@sha256:2`);
  });
  expect(await digest).toBe("sha256:2");
  expect(asked).toEqual([
    "acr.example.com/tgoai/tgo-api:staging-0123456789abcdef",
    "acr.example.com/tgoai/tgo-api:staging-0123456789abcdef-2",
  ]);
  expect(asked.map((reference) => kindOfTag(reference.split(":")[1] ?? "").kind)).toEqual([
    "staging",
    "staging",
  ]);
  expect(notes.join("\n")).toMatch(/acr.*not finished after 0\.0 s: trying once more/);
});

it("an upload that stalls twice fails, and names the registry", async () => {
  const { digest } = await push(() => new Promise(() => undefined));
  await expect(digest).rejects.toMatchObject({ code: "UNAVAILABLE", where: "acr.example.com" });
});

it("an upload that fails is not begun again", async () => {
  let asked = 0;
  const { digest } = await push(() => Promise.reject(new Error(`denied ${++asked}`)));
  await expect(digest).rejects.toThrow("denied 1");
  expect(asked).toBe(1);
});
