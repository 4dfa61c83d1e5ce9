import type { TgoErrorCode } from "./error.js";

/** What documentation says about a code. */
export interface ErrorCodeEntry {
  /** What it means; one sentence. */
  readonly cause: string;
  /** What to do about it in general; an error's own remedy is more exact. */
  readonly remedy: string;
  /** Whether the command that failed may succeed later without a change. */
  readonly again: boolean;
  /** Errors as they are printed; a test provokes each. */
  readonly examples: readonly ErrorExample[];
}

export interface ErrorExample {
  /** What leads to it, phrased to follow "for example". */
  readonly situation: string;
  readonly what: string;
  readonly remedy?: string;
}

/** Every error code, for documentation and `tgo explain`: no function of the module reads it. */
export const ERROR_CODES: Readonly<Record<TgoErrorCode, ErrorCodeEntry>> = {
  USAGE: {
    cause:
      "The command line, a variable or a file it names is wrong: an unknown name, a malformed or empty value.",
    remedy: "Correct what the message names. `tgo` exits with 2.",
    again: false,
    examples: [
      {
        situation: "`plan --service tgo-apo`",
        what: 'there is no service "tgo-apo"; did you mean "tgo-api"?',
        remedy: "Known: tgo-api.",
      },
      {
        situation: "`--registry nonsense`",
        what: '--registry "nonsense" is not a registry: it has no host or path',
        remedy:
          "Write [name=]host[:port]/path, such as localhost:5001/tgoai or ghcr=ghcr.io/me/tgo/{service}.",
      },
      {
        situation: "`--platform linux/sparc`",
        what: '"linux/sparc" is not a platform this product builds',
        remedy: "Use one of: linux/amd64, linux/arm64.",
      },
      {
        situation: '`--registry "$NOT_SET"`',
        what: "--registry is empty",
        remedy: "Give it a value, or leave it out. Is a variable not set?",
      },
    ],
  },
  CATALOG: {
    cause: "The catalog, its override file or the base lock is not valid.",
    remedy: "Correct the fields that the message lists.",
    again: false,
    examples: [
      {
        situation: "a catalog whose platforms are empty",
        what: "1 problem:\n  - platforms: must not be empty (got [])",
        remedy:
          "Field names and values: packages/catalog/schema/tgo.catalog.schema.json, docs/reference/catalog.md.",
      },
      {
        situation: "a misspelt field",
        what: "1 problem:\n  - registrys: unknown field",
        remedy:
          "Field names and values: packages/catalog/schema/tgo.catalog.schema.json, docs/reference/catalog.md.",
      },
    ],
  },
  SOURCE: {
    cause: "A service's source is missing, differs from its commit, or lacks what its build needs.",
    remedy: "Pass another source with --source, or commit what the message names.",
    again: false,
    examples: [
      {
        situation: "a release of a folder that is not a git checkout",
        what: "1.2.3 cannot be built from dev-0123456789ab: its commit is unknown (pass --revision)",
        remedy: "Pass a source that is a git checkout, or pass --revision COMMIT and --created TIME.",
      },
      {
        situation: "a release of a checkout with a change",
        what: "1.2.3 cannot be built from dev-0123456789ab: a change is not committed: app/main.py",
        remedy:
          "Commit the changes. If they belong in no commit, such as generated files, pass --revision COMMIT and --created TIME.",
      },
      {
        situation: "a Dockerfile that is not there",
        what: "the source of tgo-api has no Dockerfile",
        remedy: "Set build.file in the catalog to the Dockerfile's path in the source.",
      },
    ],
  },
  BUILD: {
    cause: "A step of the build failed. The message ends with its output.",
    remedy: "Fix the source, its lock or its Dockerfile.",
    again: false,
    examples: [
      {
        situation: "a RUN line that fails",
        what: "building tgo-api from Dockerfile for linux/amd64 failed with exit code 2\n  | cc: no such file",
        remedy: "Run the failing line by hand in the base image.",
      },
      {
        situation: "a command that does not end",
        what: "building tgo-api did not end within 1 s\n  | exec linux/amd64 sh -c ./configure\n  | checking for cc",
        remedy:
          "A command of the build waits for something, or needs longer: --verbose shows its output. Raise build.timeoutSeconds of the service.",
      },
    ],
  },
  CHECK: {
    cause:
      "A built variant is not for its platform: a file in it, or its configuration, is for another architecture, a program lacks a library that it needs, or a promised machine cannot load a file. With --strict-parity: the variants differ.",
    remedy:
      "Build the named files for each platform, add the missing libraries, or list files that nothing loads in allowForeign.",
    again: false,
    examples: [
      {
        situation: "a base image without the platform",
        what: "the linux/arm64 variant of tgo-api is configured for linux/amd64",
        remedy: "Its base image lacks this platform: choose one that has it.",
      },
      {
        situation: "a wheel for every machine that brings a library for one",
        what: "1 file of the linux/arm64 variant of tgo-api is for another architecture:\n  /app/.venv/lib/python3.11/site-packages/np/_fast.so (x86-64) of np 1.0.0 (python)",
        remedy:
          "Choose another version of np 1.0.0 (python), or one that is built for linux/arm64: a package for every machine must not have programs for one. If they are only data, list them in allowForeign of the service in tgo.catalog.json.",
      },
    ],
  },
  SMOKE: {
    cause: "A built variant does not run as its service should, or not on a promised machine.",
    remedy: "Read the output in the message; correct the image, or the service's smoke settings.",
    again: false,
    examples: [
      {
        situation: "an interpreter for another architecture",
        what: 'reports the machine "aarch64", not x86_64',
        remedy: "The image, or the interpreter in it, is for another architecture. Check its base image.",
      },
    ],
  },
  UNAUTHORIZED: {
    cause: "A registry needs credentials, or does not accept those it got.",
    remedy: "Log in to the registry, or pass --docker-config.",
    again: true,
    examples: [
      {
        situation: "a private repository without credentials",
        what: "the registry requires credentials",
        remedy:
          'No credentials for ghcr.io were given. Run "docker login ghcr.io" and pass that docker config (--docker-config).',
      },
      {
        situation: "a wrong password",
        what: "the registry rejects these credentials",
        remedy: 'Check the user and password for ghcr.io: "docker login ghcr.io" must accept them.',
      },
    ],
  },
  NOT_FOUND: {
    cause: "A repository, tag, manifest or layer does not exist in a registry.",
    remedy: "Check the name with `status`. What only some registries lack, the message's command copies.",
    again: false,
    examples: [
      {
        situation: "a tag that nobody has pushed",
        what: 'there is no tag "1.2.3"',
        remedy: "Publish it first, or check the name: tags are case-sensitive.",
      },
    ],
  },
  DENIED: {
    cause: "A registry refuses, until a permission or a setting is changed.",
    remedy: "Give the account the permission, or change the registry's setting that the message names.",
    again: true,
    examples: [
      {
        situation: "an account without access to the repository",
        what: "the registry does not allow us to read the manifest: DENIED permission denied",
        remedy: 'Check the user and password for ghcr.io: "docker login ghcr.io" must accept them.',
      },
      {
        situation: "a tag that the registry protects",
        what: "the tag exists with another digest and is immutable: the registry does not allow overwriting it",
        remedy:
          "Publish under a new tag. Tags that move, such as latest, must be exempt from the registry's immutability rule.",
      },
    ],
  },
  UNAVAILABLE: {
    cause: "A registry cannot be reached, or fails for now.",
    remedy:
      "Wait, or correct the address. What is done is not repeated. Do users of the other registries wait for a release? " +
      'Make this one optional ("required": false) for one command: docs/guides/incident.md.',
    again: true,
    examples: [
      {
        situation: "a registry that answers 503",
        what: "could not read the manifest: the registry returned status 503: UNAVAILABLE down",
        remedy: "Run the same command again later; it continues where it stopped.",
      },
      {
        situation: "a registry that answers 429 with Retry-After: 3600",
        what: "too many requests: TOOMANYREQUESTS too many requests",
        remedy:
          "The registry asks for 60 min: wait that long, then run the same command again; it continues where it stopped.",
      },
      {
        situation: "a registry that does not run",
        what: "cannot reach ghcr.io: connection refused",
        remedy: "Nothing listens there. Start the registry, or correct its address.",
      },
    ],
  },
  INVALID_RESPONSE: {
    cause: "A registry, or a proxy in front of it, sends something else than was asked for.",
    remedy: "Check the address: a web page or another program may answer there.",
    again: true,
    examples: [
      {
        situation: "a web server under the registry's address",
        what: "expected a manifest, got an HTML page (<html>Welcome to nginx!</html>)",
        remedy:
          "Check that this address is a container registry, and that no proxy or login page responds in its place.",
      },
      {
        situation: "bytes that are not those of the digest",
        what: "the blob's bytes have the digest sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa",
        remedy: "The registry, or a proxy in front of it, sent the wrong bytes. Run the same command again.",
      },
    ],
  },
  VERIFY: {
    cause: "A published image is not as planned, or not the same in every registry.",
    remedy: "Do what the message's remedy says; it has the command, where there is one.",
    again: false,
    examples: [
      {
        situation: "an image of one platform only",
        what: "linux/arm64 is missing",
        remedy: "Build and publish it again.",
      },
      {
        situation: "a registry with another image",
        what: "it is sha256:bb00c09b307f72887e178cadc1f931f164db81a35c2d3ee2d987c4a6c1893bba, while ghcr has sha256:b55391c19ecfe8c1d91cf18dbd23d2cc6ee86d14cdf228f1af3a54bf3ebcc0db",
        remedy:
          "Every registry must have the same digest. Find out who pushed the other one, then run the same command again.",
      },
    ],
  },
  CONFLICT: {
    cause: "What is already published forbids it: a version's tag would change, or latest move backwards.",
    remedy: "Release the content as the next version, or add the flag that the message names.",
    again: false,
    examples: [
      {
        situation: "other content under a released version",
        what: "it already points to sha256:bb, and a version's tag never changes; requested was sha256:aa",
        remedy:
          "Release this content as the next version. To finish the existing version, use the source and the pipelines it was built from: its image names the commit.",
      },
      {
        situation: "a latest of unknown origin",
        what: "its version is unknown (sha256:bb), so it cannot be compared with 1.2.3",
        remedy: "Check what it is with status. To move it to 1.2.3 anyway, add --adopt-latest.",
      },
    ],
  },
  ENVIRONMENT: {
    cause: "The machine lacks something: an engine, a program, emulation, permission or disk space.",
    remedy: "Install or free what the message names.",
    again: true,
    examples: [
      {
        situation: "a file system that cannot be read",
        what: "/ cannot be read for the ELF check (ENOENT)",
        remedy: "Run the check as root, on a complete file system.",
      },
      {
        situation: "a full disk",
        what: "the disk is full: ENOSPC: no space left on device, write",
        remedy:
          "Free disk space, or move what needs it to another disk: TMPDIR for temporary files, XDG_CACHE_HOME for the local engine's cache. Then run the same command again.",
      },
    ],
  },
  INTERRUPTED: {
    cause: "The caller stopped it, with Ctrl-C or a signal. `tgo` exits with 130 or 143.",
    remedy: "Run the same command again: it finishes the rest.",
    again: true,
    examples: [{ situation: "Ctrl-C", what: "stopped by the caller" }],
  },
  INTERNAL: {
    cause: "A defect of the pipelines.",
    remedy: "Run it again with --verbose, and report it with the stack trace.",
    again: false,
    examples: [
      {
        situation: "an error that no code expects",
        what: "Cannot read properties of undefined (reading 'digest')",
      },
    ],
  },
};
