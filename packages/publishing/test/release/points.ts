/** Requests that something can happen to. */
export const POINTS = {
  "a layer": { method: /PUT/, path: /\/blobs\/uploads\// },
  "the start of an upload": { method: /POST/, path: /\/blobs\/uploads\// },
  "the look for a layer": { method: /HEAD/, path: /\/blobs\/sha256:/ },
  "a variant's manifest": { method: /PUT/, path: /\/manifests\/sha256:/ },
  "the candidate's tag": { method: /PUT/, path: /\/manifests\/candidate-/ },
  "the read of the candidate": { method: /GET|HEAD/, path: /\/manifests\/candidate-/ },
  "the version's tag": { method: /PUT/, path: /\/manifests\/\d+\.\d+\.\d+$/ },
  "the read of the version's tag": { method: /GET|HEAD/, path: /\/manifests\/\d+\.\d+\.\d+$/ },
  "the tag latest": { method: /PUT/, path: /\/manifests\/latest$/ },
  "the read of latest": { method: /GET|HEAD/, path: /\/manifests\/latest$/ },
  "the list of tags": { method: /GET/, path: /\/tags\/list/ },
  "the download of a layer": { method: /GET/, path: /\/blobs\/sha256:/ },
  "the download of a manifest": { method: /GET/, path: /\/manifests\// },
  "a document's list": { method: /PUT/, path: /\/manifests\/sha256-/ },
  "every write": { method: /PUT|POST|PATCH|DELETE/, path: /./ },
  "every request": { method: /./, path: /./ },
} as const satisfies Record<string, { readonly method: RegExp; readonly path: RegExp }>;
export type Point = keyof typeof POINTS;
