import type { Mirrors } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { execFailure } from "../exec-failure.js";
import { buildError, machineFailure } from "../build-error.js";

/** A failed installation: what was being installed, and from where. */
export interface Installation {
  readonly packages: readonly string[];
  readonly platform: string;
  readonly mirrors: Pick<Mirrors, "debian" | "debianSecurity">;
}

/**
 * Why Debian packages could not be installed: SOURCE for a package that does not exist or conflicts, UNAVAILABLE for the
 * archive, ENVIRONMENT for a full disk, BUILD for anything else.
 */
export function installFailure(error: unknown, installation: Installation): Error {
  const failure = execFailure(error);
  if (failure === undefined) return buildError(stepName(installation), REMEDY, error);
  const { stderr } = failure;
  return (
    missingNames(stderr, installation) ??
    machineFailure(stepName(installation), error) ??
    // apt asks for more than there is before it begins.
    (/enough free space/.test(stderr) ? diskFull(installation) : undefined) ??
    unavailable(stderr, installation) ??
    wouldRemove(stderr, installation) ??
    failedScript(stderr, installation, error) ??
    buildError(stepName(installation), REMEDY, error)
  );
}

const REMEDY = "The output above is from apt and dpkg.";

function stepName({ packages, platform }: Installation): string {
  return `installing ${packages.join(", ")} for ${platform}`;
}

function missingNames(stderr: string, { platform }: Installation): TgoError | undefined {
  const lines = [...stderr.matchAll(/^tgo: (\S+) (\S+) ?(.*)$/gm)].map(([, key, name, value]) => ({
    key,
    name: name ?? "",
    value: value ?? "",
  }));
  const values = (key: string, name: string): string[] =>
    lines.filter((line) => line.key === key && line.name === name).map(({ value }) => value);
  const missing = lines.filter(({ key }) => key === "missing").map(({ name }) => name);
  if (missing.length === 0) return undefined;
  const suite = lines.find(({ key }) => key === "suite")?.name ?? "the base's release";
  const elsewhere = missing.flatMap((name) => values("elsewhere", name).map((other) => ({ name, other })));
  const near = missing.flatMap((name) => {
    const names = values("near", name);
    return names.length === 0 ? [] : [`${names.join(" or ")} instead of ${name}`];
  });
  const sentences = [
    ...elsewhere.map(
      ({ name, other }) =>
        `${name} exists only for linux/${other}: remove it from build.packages, or build with --platform linux/${other}.`,
    ),
    ...(near.length === 0 ? [] : [`Did you mean ${near.join(", ")}?`]),
    ...(elsewhere.length === 0 && near.length === 0
      ? [`Look up the name at https://packages.debian.org and correct build.packages.`]
      : []),
  ];
  const names = missing.join(", ");
  return new TgoError(
    "SOURCE",
    `Debian ${suite} has no package${missing.length > 1 ? "s" : ""} ${names} for ${platform}`,
    { where: "build.packages", remedy: sentences.join("\n") },
  );
}

function unavailable(stderr: string, { mirrors }: Installation): TgoError | undefined {
  const match =
    /^[EW]: (?:Failed to fetch|The repository '?)\s*(\S+?)'?\s+(.*)$/m.exec(stderr) ??
    /^[EW]: (Release file for \S+) (is expired.*)$/m.exec(stderr);
  const [, address = "", reason = ""] = match ?? [];
  if (match === null) return undefined;
  const mirrored = mirrors.debian !== undefined || mirrors.debianSecurity !== undefined;
  const certificate = /certificate|TLS|SSL/i.test(reason)
    ? " Behind a TLS-inspecting proxy, or if the base has no CA certificates, pass --ca-bundle FILE."
    : "";
  return new TgoError("UNAVAILABLE", `the Debian archive cannot be used: ${reason.trim()}`, {
    where: address.replace("Release file for ", ""),
    remedy:
      (mirrored
        ? "It is set by mirrors.debian and mirrors.debianSecurity in tgo.catalog.json: correct or remove them."
        : "It comes from the base image's apt sources. If it is unreachable from here, set mirrors.debian in " +
          "tgo.catalog.json, e.g. https://mirrors.example.com/debian.") + certificate,
  });
}

function diskFull(installation: Installation): TgoError {
  return new TgoError("ENVIRONMENT", `the disk is full: ${stepName(installation)} failed`, {
    remedy: "Free disk space for the engine's cache, then run the same command again.",
  });
}

function wouldRemove(stderr: string, installation: Installation): TgoError | undefined {
  if (!stderr.includes("remove is disabled")) return undefined;
  return new TgoError("SOURCE", `${stepName(installation)} would remove packages of the base image`, {
    where: "build.packages",
    remedy: "Choose packages that do not conflict with those of the base image, or another base.",
  });
}

function failedScript(stderr: string, installation: Installation, cause: unknown): Error | undefined {
  const name =
    /^dpkg: error processing package (\S+)/m.exec(stderr)?.[1] ??
    /^tgo: script (\S+) preinst$/m.exec(stderr)?.[1];
  if (name === undefined) return undefined;
  return buildError(
    `a maintainer script of ${name} (${stepName(installation)})`,
    "The output above is from the package's script. Remove the package, or use a base image that contains it.",
    cause,
  );
}
