import { parseRegistryFlag } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { readCompose } from "./compose.js";
import { findServices, imageName, type Services } from "./find-services.js";
import type { Draft, Finding, LeftOut } from "./finding.js";
import type { Checkout } from "./read-checkout.js";
import { guessRegistries, type RegistryGuess } from "./registry-guess.js";
import { writeCatalog } from "./write-catalog.js";

/** Asks a person; `choices` absent: a text, which may be empty. Returns the answer as typed, or the default. */
export type Ask = (question: {
  readonly text: string;
  readonly choices?: readonly string[];
  readonly fallback: string;
}) => Promise<string>;

export interface DraftOptions {
  /** The checkout's name, for a service in its root: that of its remote, else of its folder. */
  readonly name: string;
  /** For messages. */
  readonly folder: string;
  /** Address of git's remote "origin". */
  readonly remote: string | undefined;
  /** Registries that the caller names: [name=]host/path. */
  readonly registries: readonly string[];
  readonly ask: Ask;
}

export interface CatalogFile {
  /** The file's text: JSON with comments. */
  readonly text: string;
  readonly services: readonly { readonly name: string; readonly folder: string; readonly draft: Draft }[];
  readonly registries: readonly RegistryGuess[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Drafts a catalog for a checkout from what its files say.
 * @throws TgoError SOURCE if nothing in it can be shipped, naming what looks like a service and why it is not one
 */
export async function draftCatalog(checkout: Checkout, options: DraftOptions): Promise<CatalogFile> {
  const compose = await readCompose(checkout);
  const found = await findServices(checkout, compose, { checkout: imageName(options.name) || "service" });
  if (found.findings.length === 0) throw nothingToShip(found, options.folder);
  const services: { name: string; folder: string; draft: Draft }[] = [];
  for (const finding of await chosen(found.findings, options.ask))
    services.push({
      name: finding.name,
      folder: finding.folder,
      draft: await chooseDraft(finding, options.ask),
    });
  const guessed = guessRegistries(
    compose,
    services.map(({ name }) => name),
    options.remote,
  );
  const registries = await chooseRegistries(guessed, options);
  const drafts = Object.fromEntries(services.map(({ name, draft }) => [name, draft]));
  return {
    text: writeCatalog({ services: drafts, registries }),
    services,
    registries,
    leftOut: found.leftOut,
  };
}

function nothingToShip({ leftOut }: Services, folder: string): TgoError {
  const seen = leftOut.map((each) => `\n  - ${each.folder === "" ? "." : each.folder}: ${each.why}`);
  return new TgoError("SOURCE", `there is nothing to ship${seen.length === 0 ? "" : `:${seen.join("")}`}`, {
    where: folder,
    remedy:
      "An image is made from a Dockerfile, from a Python project with a lock (poetry.lock, uv.lock, or requirements.txt " +
      "with hashes), or from pages that Node builds (package.json with a lock).",
  });
}

async function chosen(findings: readonly Finding[], ask: Ask): Promise<readonly Finding[]> {
  if (findings.length === 1) return findings;
  const names = findings.map(({ name }) => name);
  const answer = await ask({ text: `Services to ship (of ${names.join(", ")})`, fallback: "all" });
  const wanted = answer.split(/[\s,]+/).filter((word) => word !== "");
  if (wanted.length === 0 || wanted.includes("all")) return findings;
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new TgoError("USAGE", `there is no service "${unknown}"`, {
      remedy: `Found: ${names.join(", ")}.`,
    });
  return findings.filter(({ name }) => wanted.includes(name));
}

async function chooseDraft({ name, drafts }: Finding, ask: Ask): Promise<Draft> {
  const [first] = drafts;
  if (drafts.length === 1) return first;
  const choices = drafts.map(({ definition }) => definition.build.strategy);
  const answer = await ask({
    text: `How ${name} is built: dockerfile is its own, unchanged; the other one builds both platforms natively`,
    choices,
    fallback: first.definition.build.strategy,
  });
  return drafts.find(({ definition }) => definition.build.strategy === answer) ?? first;
}

async function chooseRegistries(
  guessed: readonly RegistryGuess[],
  { registries, ask }: DraftOptions,
): Promise<readonly RegistryGuess[]> {
  if (registries.length > 0) return registries.map((text) => parsed(text, "--registry"));
  if (guessed.length > 0) return guessed;
  const answer = await ask({
    text: "Registry and path, such as ghcr.io/me (empty: write it later)",
    fallback: "",
  });
  return answer.trim() === "" ? [] : [parsed(answer, "the answer to init's question")];
}

function parsed(text: string, from: string): RegistryGuess {
  const { name, registry } = parseRegistryFlag(text, {});
  const { host, repository } = registry;
  return { name: imageName(name), host, repository, from };
}
