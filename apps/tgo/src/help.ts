/** The parts of the help that do not come from the module's API. */

export const LISTS = `Flags marked ",..." take several values: separate them with commas, or repeat the flag.`;

export const OVERVIEW = `How it works:
  stdout carries only the function's result, even on failure, so its JSON can be piped to jq.
  Progress goes to stderr. No version or floating tag is written before the candidate has been
  verified in every required registry. To finish an interrupted or failed run, run the same command
  again. "tgo-pipelines" is a second name of this command.`;

export const ENVIRONMENT = `Environment:
  DOCKER_CONFIG                     folder of the Docker config with credentials (~/.docker)
  TGO_CATALOG, TGO_MIRROR, TGO_BASELOCK …
                                    defaults for --catalog, --mirror, --base-lock and every other
                                    flag that all functions share; lists are comma-separated. Also
                                    read from the nearest .env file, as by the dagger command.
  NODE_EXTRA_CA_CERTS               default for --ca-bundle
  _EXPERIMENTAL_DAGGER_RUNNER_HOST  address of a running Dagger engine; selects that engine
  _EXPERIMENTAL_DAGGER_CLI_BIN      path of an installed dagger command, instead of a download
  DAGGER_SESSION_PORT, DAGGER_SESSION_TOKEN
                                    set by "dagger run"; select that session
  GITHUB_STEP_SUMMARY               GitHub's job summary file; every report is appended as Markdown
  GITHUB_OUTPUT                     GitHub's step outputs; a successful run adds its digests
  NO_COLOR, FORCE_COLOR, CI         no colours; force colours; plain progress lines`;

export const EXIT_CODES = `Exit codes:
  0    success
  1    failure; the report and stderr say what failed and what to do
  2    usage error; nothing was done
  3    of watch: nothing is known to have changed, and a registry did not answer
  130  interrupted by Ctrl-C (143: by SIGTERM)`;

/** Commands start with `tgo`: `withCommand` replaces that. */
export const EXAMPLES: { readonly program: string; readonly functions: Readonly<Record<string, string>> } = {
  program: `Examples:
  tgo services                            list the services and where they are published
  tgo publish --service tgo-api           build, publish and verify both platforms in all registries
  tgo publish --help                      show the help of one function`,
  functions: {
    services: `Examples:
  tgo services
  tgo services --catalog tgo.catalog.json   with your own services and registries`,
    plan: `Examples:
  tgo plan --service tgo-api                show what publish would do, without doing it
  tgo plan --service all`,
    "lock-bases": `Examples:
  tgo lock-bases --output tgo.bases.json      pin the tags to their current digests
  tgo lock-bases --base-lock tgo.bases.json --output tgo.bases.json
                                            update the lock and list what changed`,
    build: `Examples:
  tgo build --service tgo-api --platform linux/arm64
  tgo build --service tgo-api --platform linux/arm64 --output tgo-api-arm64.tar
  skopeo copy oci-archive:tgo-api-arm64.tar docker-daemon:tgo-api:arm64`,
    smoke: `Examples:
  tgo smoke --service tgo-api               start each variant and request its health endpoint
  tgo smoke --service tgo-api --platform linux/arm64`,
    publish: `Examples:
  tgo publish --service tgo-api             from repos/tgo-api in this checkout
  tgo publish --service tgo-api,tgo-web --format json | jq .services[].digest
  tgo publish --service tgo-api --source ../tgo-api
  tgo publish --service tgo-api --registry local=localhost:5000/tgo --docker-config ci/config.json`,
    preflight: `Examples:
  tgo preflight                             can all services be published now?
  tgo preflight --version 1.2.3             can 1.2.3 be released now?`,
    release: `Examples:
  tgo release --version 1.2.3               all services, behind one gate
  tgo release --git-tag v1.2.3 --report release.html,release.json
  tgo release --service tgo-api --version 1.2.3 --source ../tgo`,
    promote: `Examples:
  tgo promote --version 1.2.3               point latest, 1.2 and 1 at 1.2.3 again
  tgo promote --version 1.2.2 --allow-backwards   go back to 1.2.2`,
    status: `Examples:
  tgo status
  tgo status --service tgo-api
  tgo status --format json | jq -e '.status.disagreements == []'`,
    watch: `Examples:
  tgo watch                                 everything released, in every registry
  tgo watch --service tgo-api --format json`,
    prune: `Examples:
  tgo prune --service all                   list what would be removed
  tgo prune --service all --days 30 --keep 5 --remove`,
    verify: `Examples:
  tgo verify --service tgo-api --tag candidate-0123456789abcdef
  tgo verify --service tgo-api --tag latest --report latest.html
  tgo verify ghcr.io/tgoai/tgo-deploy/tgo-api:1.2.3 docker.io/tgoai/tgo-api:1.2.3
  tgo verify --fast python:3.11-slim        manifests and configs only`,
    inspect: `Examples:
  tgo inspect ghcr.io/tgoai/tgo-deploy/tgo-api:latest
  tgo inspect python:3.11-slim --platform linux/arm64
  tgo inspect python:3.11-slim --format json | jq '.images[].platforms[].platform'`,
    tags: `Examples:
  tgo tags ghcr.io/tgoai/tgo-deploy/tgo-api   every tag, those of one digest together
  tgo tags python:3.11-slim                   the other names of this image`,
    diff: `Examples:
  tgo diff python:3.11-slim python:3.12-slim --platform linux/arm64
  tgo diff ghcr.io/me/app:1.2.3 docker.io/me/app:1.2.3 --semantic   times do not matter`,
    sbom: `Examples:
  tgo sbom ghcr.io/tgoai/tgo-deploy/tgo-api:1.2.3 --platform linux/arm64 --output bom.json
  tgo sbom python:3.11-slim --platform linux/amd64 --format spdx
  tgo sbom python:3.11-slim --platform linux/amd64 --scan   what grype or trivy finds`,
    reproduce: `Examples:
  tgo reproduce ghcr.io/tgoai/tgo-deploy/tgo-api:1.2.3 --source ../tgo
  tgo reproduce ghcr.io/tgoai/tgo-deploy/tgo-api:1.2.3 --provenance bundle.json`,
    export: `Examples:
  tgo export ghcr.io/tgoai/tgo-deploy/tgo-api:1.2.3 --output tgo-api-1.2.3`,
    import: `Examples:
  tgo import --layout tgo-api-1.2.3 --to registry.example.com/tgo/tgo-api:1.2.3`,
    combine: `Examples:
  tgo combine ghcr.io/me/app:amd64 ghcr.io/me/app:arm64 --to ghcr.io/me/app:1.2.3,docker.io/me/app:1.2.3
  tgo combine ghcr.io/me/app:amd64 ghcr.io/me/app:arm64 --to ghcr.io/me/app:1.2.3 --dry-run`,
  },
};

/** Examples as the reader has to type them; explanations stay aligned. @param command `npx --no-install tgo` */
export function withCommand(examples: string, command: string): string {
  const pad = " ".repeat(command.length - "tgo".length);
  return examples.replaceAll(/^ {2}tgo /gm, `  ${command} `).replaceAll(/^(?= {10})/gm, pad);
}
