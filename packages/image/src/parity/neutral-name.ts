/** What the platforms' architectures are called in paths and packages: by compilers, Debian, Alpine, Node and Go. */
const ARCHITECTURE = /(?<![a-z0-9])(?:x86[-_]64|amd64|x64|aarch64|arm64)(?![a-z0-9])/gi;

/**
 * A path or a package's name without its architecture, equal on all platforms: `lib/x86_64-linux-gnu` and
 * `lib/aarch64-linux-gnu`, `@esbuild/linux-x64` and `@esbuild/linux-arm64`.
 */
export function neutralName(text: string): string {
  return text.replace(ARCHITECTURE, "<arch>");
}
