import { selectPlatforms, type Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { publishVariant } from "@tgo/publishing";
import type { ReleaseTag } from "@tgo/release-rules";
import { defined, type ReportFormat } from "@tgo/report";
import type { Call } from "../call.js";
import { loadCatalog } from "../context.js";
import { releaseVersion, type VersionFlags } from "../release-version.js";
import { reportServices } from "../report-services.js";
import type { ShellArguments } from "../shell-arguments.js";
import type { SigningFlags } from "../signing-flags.js";
import { prepareOptions, type SourceArguments } from "../source-arguments.js";

export type BuildVariantFlags = VersionFlags &
  SigningFlags &
  ShellArguments<{
    /** Whether a run under emulation is refused. */
    requireNative: boolean;
  }>;

/**
 * Builds, checks and runs one platform's images, and puts them into one registry, where publish and release with
 * `--assemble` find them.
 * @throws ReportError when a service failed; TgoError CATALOG, USAGE
 */
export async function buildVariant(
  call: Call,
  names: readonly string[],
  flags: SourceArguments & BuildVariantFlags,
  format: ReportFormat,
): Promise<string> {
  const { version: given, gitTag, requireNative = false } = flags;
  const { signingKey, signingKeyPassword, identityToken } = flags;
  const signing = { signingKey, signingKeyPassword, identityToken };
  const own = { version: given, gitTag, requireNative };
  const platforms = call.options.platform ?? [];
  if (platforms.length > 1)
    throw new TgoError("USAGE", "build-variant builds one platform", {
      remedy: "Give one --platform: each machine builds its own.",
    });
  const release = await releaseOf(call, flags);
  const selected = release?.service === undefined ? names : [release.service];
  return reportServices(
    call,
    { command: "build-variant", names: selected, source: flags, format, flags: own, signing },
    (context, { name, service }) => {
      const all = selectPlatforms(context.catalog, undefined);
      const [platform = context.native] = platforms.length === 0 ? [] : context.platforms;
      // No native run of another platform tells anything: a proof has to be whole.
      const whole = { ...context, platforms: all, fullSmoke: true };
      return publishVariant(whole, name, service, {
        ...prepareOptions(flags),
        ...defined({ version: release?.version.text, gitTag }),
        platform: planned(all, platform),
        requireNative,
        pipelines: context.pipeline,
        ...defined({ onProof: context.host.onProof }),
      });
    },
  );
}

/** A Git tag may name a service, as in a release. @throws TgoError USAGE, CATALOG */
async function releaseOf(call: Call, { version, gitTag }: VersionFlags): Promise<ReleaseTag | undefined> {
  if (version === undefined && gitTag === undefined) return undefined;
  const { services } = await loadCatalog(call.product.catalog, call.options);
  return releaseVersion({ version, gitTag }, Object.keys(services));
}

/** @throws TgoError USAGE */
function planned(platforms: readonly Platform[], platform: Platform): Platform {
  if (platforms.includes(platform)) return platform;
  throw new TgoError("USAGE", `the engine is of ${platform}, which is not planned`, {
    remedy: `The catalog has ${platforms.join(" and ")}: choose one with --platform.`,
  });
}
