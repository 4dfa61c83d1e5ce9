import { readFileSync, statSync } from "node:fs";
import { chmod, copyFile, mkdir, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { digestOf } from "@tgo/registry";
import { withLocation, type Location } from "../../files/location.js";
import { putFile } from "../../files/put.js";
import { lazy } from "../../lazy.js";
import { EMPTY } from "../../store/snapshot.js";
import type { Fields } from "./field.js";

export const fileFields = {
  sync: (state: Location, _: object, { cx }, self) => withLocation(cx, state, "file", () => self.id),
  name: (state: Location) => basename(state.path),
  size: (state: Location, _: object, { cx }) =>
    withLocation(cx, state, "file", (path) => statSync(path).size),
  digest: (state: Location, _: object, { cx }) =>
    withLocation(cx, state, "file", (path) => digestOf(readFileSync(path))),
  contents: (state: Location, _: object, { cx }) =>
    withLocation(cx, state, "file", (path) => readFileSync(path, "utf8")),
  withTimestamps: (state: Location, { timestamp }: { timestamp: number }, { cx }): Location => {
    const path = `/${basename(state.path)}`;
    return { fs: lazy(() => putFile(cx, EMPTY, path, state, { timestamp })), path };
  },
  export: (state: Location, { path }: { path: string }, { cx }) =>
    withLocation(cx, state, "file", async (real) => {
      const target = resolve(path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(real, target);
      await chmod(target, (await stat(real)).mode & 0o7777);
      return target;
    }),
} satisfies Fields<Location>;
