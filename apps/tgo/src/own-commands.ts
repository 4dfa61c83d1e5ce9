/** What the command does itself, without the module and an engine. */
export const OWN_COMMANDS = [
  { name: "explain", usage: "explain [CODE]", description: "Says what an error's code means and what to do" },
  {
    name: "completion",
    usage: "completion bash|zsh|fish",
    description: "Prints a script that completes this command in a shell",
  },
  { name: "help", usage: "help [function] [all]", description: "Shows the help of a function" },
] as const;

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
  doctor: "preflight",
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
