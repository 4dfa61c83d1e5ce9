import type { Location } from "../../files/location.js";
import { lazy } from "../../lazy.js";
import type { CacheState, SecretState } from "../../state.js";
import { EMPTY } from "../../store/snapshot.js";
import { emptyContainer } from "./container.js";
import type { Fields } from "./field.js";
import { secretFrom } from "./secret.js";

/** The Dagger version whose API this is. */
export const API_VERSION = "v0.21.8";

export const queryFields = {
  version: () => API_VERSION,
  defaultPlatform: (_: unknown, __: unknown, { cx }) => cx.settings.platform,
  container: (_: unknown, { platform }: { platform?: string }, { cx }) =>
    emptyContainer(platform ?? cx.settings.platform),
  directory: (): Location => ({ fs: lazy(() => EMPTY), path: "/" }),
  host: () => ({}),
  cacheVolume: (_: unknown, { key }: CacheState): CacheState => ({ key }),
  secret: (_: unknown, { uri }: { uri: string }) => secretFrom(uri),
  setSecret: (_: unknown, { name, plaintext }: { name: string; plaintext: string }): SecretState => ({
    name,
    uri: `set:${name}`,
    plaintext: () => Promise.resolve(plaintext),
  }),
  node: (_: unknown, { id }: { id: string }, { objects }) => objects.get(id),
} satisfies Fields<unknown>;
