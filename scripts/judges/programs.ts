import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "@tgo/host";

const execute = promisify(execFile);

/** Programs by their name, and the Go package each is built of. */
const PACKAGES = {
  crane: "github.com/google/go-containerregistry/cmd/crane@v0.22.1",
  regctl: "github.com/regclient/regclient/cmd/regctl@v0.11.7",
  oras: "oras.land/oras/cmd/oras@v1.3.6",
  conformance: "github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111",
  registry: "github.com/distribution/distribution/v3/cmd/registry@v3.1.2",
} as const;

export type Program = keyof typeof PACKAGES | "ggcr-registry";

/** A registry in memory with the referrers API, of the library that crane is made of. */
const GGCR = {
  "go.mod": `module ggcr-registry

go 1.24

require github.com/google/go-containerregistry v0.22.1
`,
  "main.go": `package main

import (
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	handler := registry.New(registry.WithReferrersSupport(true))
	if err := http.ListenAndServe(os.Args[1], handler); err != nil {
		panic(err)
	}
}
`,
};

/** Whether Go is installed, which builds the programs. */
export async function hasGo(): Promise<boolean> {
  return execute("go", ["version"]).then(
    () => true,
    () => false,
  );
}

/**
 * Builds what is missing, in the cache folder: five minutes once.
 * @returns each program's file
 */
export async function installPrograms(log: (text: string) => void): Promise<Record<Program, string>> {
  const files: Record<string, string> = {};
  for (const [name, module] of Object.entries(PACKAGES)) {
    const folder = join(cacheFolder(process.env), "tgo/judges", module.replaceAll(/[^\w.@-]+/g, "-"));
    const file = join(folder, name);
    if (!existsSync(file)) {
      log(`go install ${module}`);
      await execute("go", ["install", module], { env: { ...process.env, GOBIN: folder } });
    }
    files[name] = file;
  }
  const folder = join(cacheFolder(process.env), "tgo/judges/ggcr-registry-v0.22.1");
  const file = join(folder, "ggcr-registry");
  if (!existsSync(file)) {
    log("go build ggcr-registry");
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(GGCR)) await writeFile(join(folder, name), text);
    await execute("go", ["mod", "tidy"], { cwd: folder });
    await execute("go", ["build", "-o", file, "."], { cwd: folder });
  }
  return { ...files, "ggcr-registry": file } as Record<Program, string>;
}
