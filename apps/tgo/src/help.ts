/** The parts of the help that the module's surface cannot know. */

export const LISTS = `A flag with ",..." takes several values: separated by commas, or the flag given again.`;

export const OVERVIEW = `How it works:
  What a function returns goes to stdout and nothing else does, so that its JSON can be piped to jq,
  when it fails as well. What is going on goes to stderr. Nothing is tagged before it is verified;
  the same command again finishes what an interrupted or failed one has left.`;

export const ENVIRONMENT = `Environment:
  DOCKER_CONFIG                     folder of the docker config with the credentials (~/.docker)
  TGO_CATALOG, TGO_MIRROR, TGO_BASELOCK …
                                    as --catalog, --mirror, --base-lock: any flag of every function;
                                    lists separated by commas. Also from the nearest .env file, as
                                    the dagger command has them. A flag wins.
  NODE_EXTRA_CA_CERTS               as --ca-bundle, where nothing else says it
  _EXPERIMENTAL_DAGGER_RUNNER_HOST  address of a running Dagger engine; chooses it
  _EXPERIMENTAL_DAGGER_CLI_BIN      a dagger command that is already here, instead of a download
  DAGGER_SESSION_PORT, DAGGER_SESSION_TOKEN
                                    set by "dagger run"; chooses that session
  GITHUB_STEP_SUMMARY               file of GitHub's job summary: gets every report, as Markdown
  NO_COLOR, FORCE_COLOR, CI         no colours; colours without a terminal; plain progress lines`;

export const EXIT_CODES = `Exit codes:
  0    done
  1    something failed; the report and stderr say what, and what to do
  2    the command line is wrong; nothing was done
  130  interrupted by Ctrl-C (143: by SIGTERM)`;

export const EXAMPLES: { readonly program: string; readonly functions: Readonly<Record<string, string>> } = {
  program: `Examples:
  tgo services                            what can be built, and where it goes
  tgo publish --service tgo-api           both platforms into all registries, and verify
  tgo publish --help                      everything about one function`,
  functions: {
    services: `Examples:
  tgo services
  tgo services --catalog tgo.catalog.json   with your own services and registries`,
    plan: `Examples:
  tgo plan --service tgo-api                what a publish would do, without doing it
  tgo plan --service all`,
    "lock-bases": `Examples:
  tgo lock-bases --output tgo.bases.json      what the tags stand for now
  tgo lock-bases --base-lock tgo.bases.json --output tgo.bases.json
                                            the same again, and what has changed since`,
    build: `Examples:
  tgo build --service tgo-api --platform linux/arm64
  tgo build --service tgo-api --platform linux/arm64 --output tgo-api-arm64.tar
  skopeo copy oci-archive:tgo-api-arm64.tar docker-daemon:tgo-api:arm64`,
    smoke: `Examples:
  tgo smoke --service tgo-api               starts each variant and asks it for its health
  tgo smoke --service tgo-api --platform linux/arm64`,
    publish: `Examples:
  tgo publish --service tgo-api             from repos/tgo-api of this checkout
  tgo publish --service tgo-api,tgo-web --format json | jq .services[].digest
  tgo publish --service tgo-api --source ../tgo-api
  tgo publish --service tgo-api --registry local=localhost:5000/tgo --docker-config ci/config.json`,
    preflight: `Examples:
  tgo preflight                             could all services be published now?
  tgo preflight --version 1.2.3             could 1.2.3 be released now?`,
    verify: `Examples:
  tgo verify --service tgo-api --tag candidate-0123456789abcdef
  tgo verify --service tgo-api --tag latest --report latest.html`,
  },
};
