import { generateDtsBundle } from "dts-bundle-generator";
import { root } from "./root.mjs";

/** lib/core.d.ts: the bundle's types in one file, with the SDK's own imported. */
export function declareCore() {
  const [text] = generateDtsBundle(
    [
      {
        filePath: `${root}/pipelines/tgo/core.ts`,
        libraries: {
          importedLibraries: ["@dagger.io/dagger"],
          inlinedLibraries: ["@tgo/stages", "@tgo/catalog", "@tgo/oci", "@tgo/report", "@tgo/errors"],
        },
        output: { noBanner: true, exportReferencedTypes: false },
      },
    ],
    { preferredConfigPath: `${root}/tsconfig.json` },
  );
  return `// Made by npm run generate from pipelines/tgo/core.ts. Do not edit.\n${text}`;
}
