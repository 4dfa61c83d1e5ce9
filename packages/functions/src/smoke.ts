import type { Service } from "@tgo/catalog";
import type { ServiceReport } from "@tgo/report";
import { attempt } from "@tgo/publishing";
import type { Context } from "./context.js";
import { prepareBuild, type PrepareOptions } from "@tgo/builders";
import { buildAndTest } from "@tgo/proof";

/** Builds, checks and runs every variant of a service; publishes nothing. Never throws for the service's own failure. */
export async function smokeService(
  context: Context,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<ServiceReport> {
  return attempt(context, name, async () => {
    const request = await prepareBuild(context, name, service, options);
    const { built, checks, smokes } = await buildAndTest(context, request);
    return {
      service: name,
      state: "smoke ok",
      revision: request.source.revision,
      variants: context.platforms.map((platform) => {
        const check = checks.find((candidate) => candidate.platform === platform);
        const smoke = smokes.find((candidate) => candidate.platform === platform);
        return {
          platform,
          elf: check && { files: check.files, elf: check.elf, foreign: [] },
          smoke: smoke && { ok: true, machine: smoke.machine, lines: smoke.lines, recorded: false },
        };
      }),
      registries: [],
      problems: [],
      notes: built.notes,
    };
  });
}
