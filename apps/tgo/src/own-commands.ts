/** A flag of a command of our own. */
export interface OwnFlag {
  readonly flag: string;
  readonly description: string;
  /** What follows it: nothing for a switch, a file, a text, or one of a list. */
  readonly takes?: "file" | "text" | readonly string[];
  /** Whether it may be repeated; commas separate values too. */
  readonly multiple?: boolean;
}

export interface OwnCommand {
  readonly name: string;
  readonly usage: string;
  readonly description: string;
  readonly group: "Start" | "Help";
  /** Words that must or may follow: their number, at most, and what they can be. */
  readonly words?: { readonly most: number; readonly known?: readonly string[] };
  readonly flags?: readonly OwnFlag[];
}

const CATALOG: OwnFlag = {
  flag: "catalog",
  description: "The catalog file; TGO's own catalog if absent. [default: $TGO_CATALOG]",
  takes: "file",
};
const FORMAT: OwnFlag = { flag: "format", description: "Style of the result.", takes: ["text", "json"] };

/** What the command does itself, without the module and an engine. */
export const OWN_COMMANDS: readonly OwnCommand[] = [
  {
    name: "init",
    usage: "init [FOLDER]",
    description: "Writes a catalog for a checkout, from what its files say",
    group: "Start",
    words: { most: 1 },
    flags: [
      { flag: "yes", description: "Ask nothing: take the defaults." },
      {
        flag: "registry",
        description: "Where images go: [name=]host[:port]/path[/{service}].",
        takes: "text",
        multiple: true,
      },
      {
        flag: "output",
        description: "The file to write, which must not exist. [default: FOLDER/tgo.catalog.jsonc]",
        takes: "file",
      },
    ],
  },
  {
    name: "catalog",
    usage: "catalog check|show",
    description: "Checks a catalog file, or shows the catalog that results from it",
    group: "Start",
    words: { most: 1, known: ["check", "show"] },
    flags: [CATALOG, FORMAT],
  },
  {
    name: "doctor",
    usage: "doctor",
    description:
      "Checks whether this machine can build and publish: engine, emulation, disk, registries, proxies",
    group: "Start",
    flags: [
      CATALOG,
      {
        flag: "registry",
        description:
          "Look at these registries instead of the catalog's: [name=]host[:port]/path[/{service}].",
        takes: "text",
        multiple: true,
      },
      {
        flag: "mirror",
        description: "Mirrors to look at, besides the catalog's.",
        takes: "text",
        multiple: true,
      },
      { flag: "docker-config", description: "Docker's config.json with the logins.", takes: "file" },
      { flag: "ca-bundle", description: "CA certificates (PEM).", takes: "file" },
      {
        flag: "probe",
        description:
          "Instead, show how a registry behaves: push a tiny image to this repository, host/path, look, and remove it.",
        takes: "text",
      },
      { flag: "engine", description: "The engine to look at.", takes: ["auto", "dagger", "local"] },
      FORMAT,
    ],
  },
  {
    name: "explain",
    usage: "explain [CODE]",
    description: "Says what an error's code means and what to do",
    group: "Help",
  },
  {
    name: "completion",
    usage: "completion bash|zsh|fish",
    description: "Prints a script that completes this command in a shell",
    group: "Help",
  },
  {
    name: "help",
    usage: "help [function] [all]",
    description: "Shows the help of a function",
    group: "Help",
  },
];

/** Functions by what people want to do with them; those that are not listed come last. */
export const FUNCTION_GROUPS: readonly { readonly title: string; readonly functions: readonly string[] }[] = [
  { title: "Build and publish", functions: ["publish", "build", "smoke", "plan", "preflight"] },
  { title: "Release", functions: ["release", "promote", "status", "watch", "prune"] },
  { title: "Look into images", functions: ["verify", "inspect", "tags", "diff", "sbom", "reproduce"] },
  { title: "Move images", functions: ["combine", "export", "import"] },
  { title: "Configuration", functions: ["services", "lock-bases"] },
];

/** Words of other tools for what a function does. */
export const SYNONYMS: Readonly<Record<string, string>> = {
  push: "publish",
  deploy: "release",
  ls: "services",
  list: "services",
  check: "preflight",
  setup: "init",
  new: "init",
  "dry-run": "plan",
  test: "smoke",
  run: "smoke",
  rollback: "promote",
  gc: "prune",
  clean: "prune",
  show: "inspect",
  manifest: "inspect",
  compare: "diff",
  bom: "sbom",
  scan: "sbom",
  licenses: "sbom",
  rebuild: "reproduce",
  copy: "combine",
  merge: "combine",
  save: "export",
  load: "import",
};
