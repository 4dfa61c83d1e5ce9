import type { Architecture } from "./architecture.js";
import { SOURCE_DATE_EPOCH } from "./debian.js";
import { CONFIG, INDEX, MANIFEST, type Descriptor, type Layer, type Layout } from "./oci-layout.js";
import { nameOf, type BaseRecipe } from "./recipe.js";

export interface BuiltVariant {
  readonly recipe: BaseRecipe;
  readonly architecture: Architecture;
  readonly layers: readonly Layer[];
}

/** Writes configs, manifests and one index per image, and completes the layout. */
export async function writeImages(layout: Layout, variants: readonly BuiltVariant[]): Promise<void> {
  const byName = new Map<string, Descriptor[]>();
  // amd64 first, as on Docker Hub.
  const ordered = [...variants].sort((a, b) => a.architecture.name.localeCompare(b.architecture.name));
  for (const variant of ordered) {
    const name = nameOf(variant.recipe);
    byName.set(name, [...(byName.get(name) ?? []), await writeVariant(layout, variant)]);
  }
  const indexes = new Map<string, Descriptor>();
  for (const [name, manifests] of byName) {
    indexes.set(name, await layout.addJson(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests }));
  }
  await layout.finish(indexes);
}

async function writeVariant(
  layout: Layout,
  { recipe, architecture, layers }: BuiltVariant,
): Promise<Descriptor> {
  const { env, entrypoint, cmd, exposedPorts, stopSignal } = recipe.config;
  const platform = { architecture: architecture.name, os: "linux", ...variantOf(architecture) };
  const created = new Date(Number(SOURCE_DATE_EPOCH) * 1000).toISOString();
  const config = await layout.addJson(CONFIG, {
    created,
    ...platform,
    config: {
      Env: env,
      ...(entrypoint && { Entrypoint: entrypoint }),
      Cmd: cmd,
      ...(exposedPorts && { ExposedPorts: Object.fromEntries(exposedPorts.map((port) => [port, {}])) }),
      ...(stopSignal !== undefined && { StopSignal: stopSignal }),
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, position) => ({
      created,
      created_by: position === 0 ? "Debian packages (stand-in base)" : `${nameOf(recipe)} (stand-in)`,
    })),
  });
  const manifest = await layout.addJson(MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { ...manifest, platform };
}

function variantOf({ variant }: Architecture): { variant?: string } {
  return variant === undefined ? {} : { variant };
}
