/** Kinds of requests that a fault can strike. */
export const REQUEST_KINDS = {
  "layer upload": { method: /PUT/, path: /\/blobs\/uploads\// },
  "upload start": { method: /POST/, path: /\/blobs\/uploads\// },
  "layer check": { method: /HEAD/, path: /\/blobs\/sha256:/ },
  "layer download": { method: /GET/, path: /\/blobs\/sha256:/ },
  "variant write": { method: /PUT/, path: /\/manifests\/sha256:/ },
  "candidate write": { method: /PUT/, path: /\/manifests\/candidate-/ },
  "candidate read": { method: /GET|HEAD/, path: /\/manifests\/candidate-/ },
  "version write": { method: /PUT/, path: /\/manifests\/\d+\.\d+\.\d+$/ },
  "version read": { method: /GET|HEAD/, path: /\/manifests\/\d+\.\d+\.\d+$/ },
  "latest write": { method: /PUT/, path: /\/manifests\/latest$/ },
  "latest read": { method: /GET|HEAD/, path: /\/manifests\/latest$/ },
  "referrers write": { method: /PUT/, path: /\/manifests\/sha256-/ },
  "manifest read": { method: /GET/, path: /\/manifests\// },
  "tag list": { method: /GET/, path: /\/tags\/list/ },
  "any write": { method: /PUT|POST|PATCH|DELETE/, path: /./ },
  "any request": { method: /./, path: /./ },
} as const satisfies Record<string, { readonly method: RegExp; readonly path: RegExp }>;
export type RequestKind = keyof typeof REQUEST_KINDS;
