import type { TgoErrorCode } from "./error.js";

/** What documentation says about a code. */
export interface ErrorCodeEntry {
  /** What it means; one sentence. */
  readonly cause: string;
  /** What to do about it in general; an error's own remedy is more exact. */
  readonly remedy: string;
  /** Whether the command that failed may succeed later without a change. */
  readonly again: boolean;
  /** An error as it is printed; a test provokes it. */
  readonly example: { readonly situation: string; readonly what: string; readonly remedy?: string };
}

/** Every error code. For documentation only: nothing at run time reads it. */
export const ERROR_CODES: Readonly<Record<TgoErrorCode, ErrorCodeEntry>> = {
  USAGE: {
    cause:
      "The command line, a variable or a file it names is wrong: an unknown name, a malformed or empty value.",
    remedy: "Correct what the message names. `tgo` exits with 2.",
    again: false,
    example: {
      situation: "`plan --service tgo-apo`",
      what: 'there is no service "tgo-apo"; did you mean "tgo-api"?',
      remedy: "Known: tgo-api.",
    },
  },
  CATALOG: {
    cause: "The catalog, its override file or the base lock is not valid.",
    remedy: "Correct the fields that the message lists.",
    again: false,
    example: {
      situation: "a catalog whose platforms are empty",
      what: "1 problem:\n  - platforms: must not be empty (got [])",
      remedy: "Field names and values: packages/catalog/schema/tgo.catalog.schema.json, docs/catalog.md.",
    },
  },
  SOURCE: {
    cause: "A service's source is missing, differs from its commit, or lacks what its build needs.",
    remedy: "Pass another source with --source, or commit what the message names.",
    again: false,
    example: {
      situation: "a release of a folder that is not a git checkout",
      what: "1.2.3 cannot be built from dev-0123456789ab: its commit is unknown (pass --revision)",
      remedy: "Pass a source that is a git checkout, or pass --revision COMMIT and --created TIME.",
    },
  },
  BUILD: {
    cause: "A step of the build failed. The message ends with its output.",
    remedy: "Fix the source, its lock or its Dockerfile.",
    again: false,
    example: {
      situation: "a RUN line that fails",
      what: "building tgo-api from Dockerfile for linux/amd64 failed with exit code 2\n  | cc: no such file",
      remedy: "Run the failing line by hand in the base image.",
    },
  },
  CHECK: {
    cause:
      "A built variant is not for its platform: a file in it, or its configuration, is for another architecture, a program lacks a library that it needs, or a promised machine cannot load a file. With --strict-parity: the variants differ.",
    remedy:
      "Build the named files for each platform, add the missing libraries, or list files that nothing loads in allowForeign.",
    again: false,
    example: {
      situation: "a base image without the platform",
      what: "the linux/arm64 variant of tgo-api is configured for linux/amd64",
      remedy: "Its base image lacks this platform: choose one that has it.",
    },
  },
  SMOKE: {
    cause: "A built variant does not run as its service should, or not on a promised machine.",
    remedy: "Read the output in the message; correct the image, or the service's smoke settings.",
    again: false,
    example: {
      situation: "an interpreter for another architecture",
      what: 'reports the machine "aarch64", not x86_64',
      remedy: "The image, or the interpreter in it, is for another architecture. Check its base image.",
    },
  },
  UNAUTHORIZED: {
    cause: "A registry needs credentials, or does not accept those it got.",
    remedy: "Log in to the registry, or pass --docker-config.",
    again: true,
    example: {
      situation: "a private repository without credentials",
      what: "the registry requires credentials",
      remedy:
        'No credentials for ghcr.io were given. Run "docker login ghcr.io" and pass that docker config (--docker-config).',
    },
  },
  NOT_FOUND: {
    cause: "A repository, tag, manifest or layer does not exist in a registry.",
    remedy: "Check the name with `status`. What only some registries lack, the message's command copies.",
    again: false,
    example: {
      situation: "a tag that nobody has pushed",
      what: 'there is no tag "1.2.3"',
      remedy: "Publish it first, or check the name: tags are case-sensitive.",
    },
  },
  DENIED: {
    cause: "A registry refuses, and would refuse again.",
    remedy: "Give the account the permission, or change the registry's setting that the message names.",
    again: true,
    example: {
      situation: "an account without access to the repository",
      what: "the registry does not allow us to read the manifest: DENIED permission denied",
      remedy: 'Check the user and password for ghcr.io: "docker login ghcr.io" must accept them.',
    },
  },
  UNAVAILABLE: {
    cause: "A registry cannot be reached, or fails for now.",
    remedy: "Run the same command again: what is done is not repeated.",
    again: true,
    example: {
      situation: "a registry that answers 503",
      what: "could not read the manifest: the registry returned status 503: UNAVAILABLE down",
      remedy: "Run the same command again later; it continues where it stopped.",
    },
  },
  INVALID_RESPONSE: {
    cause: "A registry, or a proxy in front of it, sends something else than was asked for.",
    remedy: "Check the address: a web page or another program may answer there.",
    again: true,
    example: {
      situation: "a web server under the registry's address",
      what: "expected a manifest, got an HTML page (<html>Welcome to nginx!</html>)",
      remedy:
        "Check that this address is a container registry, and that no proxy or login page responds in its place.",
    },
  },
  VERIFY: {
    cause: "A published image is not as planned, or not the same in every registry.",
    remedy: "Run the command in the message's remedy.",
    again: false,
    example: {
      situation: "an image of one platform only",
      what: "linux/arm64 is missing",
      remedy: "Build and publish it again.",
    },
  },
  CONFLICT: {
    cause: "What is already published forbids it: a version's tag would change, or latest move backwards.",
    remedy: "Release the content as the next version, or add the flag that the message names.",
    again: false,
    example: {
      situation: "other content under a released version",
      what: "it already points to sha256:bb, and a version's tag never changes; requested was sha256:aa",
      remedy:
        "Release this content as the next version. To finish the existing version, use the source and the pipelines it was built from: its image names the commit.",
    },
  },
  ENVIRONMENT: {
    cause: "The machine lacks something: an engine, a program, emulation, permission or disk space.",
    remedy: "Install or free what the message names.",
    again: true,
    example: {
      situation: "a file system that cannot be read",
      what: "/ cannot be read for the ELF check (ENOENT)",
      remedy: "Run the check as root, on a complete file system.",
    },
  },
  INTERRUPTED: {
    cause: "The caller stopped it, with Ctrl-C or a signal. `tgo` exits with 130 or 143.",
    remedy: "Run the same command again: it finishes the rest.",
    again: true,
    example: { situation: "Ctrl-C", what: "stopped by the caller" },
  },
  INTERNAL: {
    cause: "A defect of the pipelines.",
    remedy: "Run it again with --verbose, and report it with the stack trace.",
    again: false,
    example: {
      situation: "an error that no code expects",
      what: "Cannot read properties of undefined (reading 'digest')",
    },
  },
};
