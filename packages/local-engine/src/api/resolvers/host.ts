import { resolve } from "node:path";
import { importDirectory, importFile } from "../../files/import-host-files.js";
import type { Selection } from "../../files/select.js";
import type { ServiceState } from "../../state.js";
import type { Fields } from "./field.js";

export const hostFields = {
  directory: (_: unknown, { path, ...selection }: { path: string } & Selection, { cx }) =>
    importDirectory(cx, resolve(path), selection),
  file: (_: unknown, { path }: { path: string }, { cx }) => importFile(cx, resolve(path)),
  service: (
    _: unknown,
    { host, ports }: { host: string; ports: { frontend?: number; backend: number }[] },
  ): ServiceState => ({
    kind: "host",
    host,
    ports: ports.map(({ frontend, backend }) => ({ frontend: frontend ?? backend, backend })),
  }),
} satisfies Fields<unknown>;
