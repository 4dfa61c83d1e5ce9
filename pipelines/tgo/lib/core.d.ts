// Made by npm run generate from pipelines/tgo/core.ts. Do not edit.
import { File, Service, Secret, Directory, Client, Container } from '@dagger.io/dagger';

/** What a docker config or a credential helper holds for one registry. */
type Credentials = {
    readonly username: string;
    readonly password: string;
}
/** An OAuth2 refresh token: https://distribution.github.io/distribution/spec/auth/oauth/ */
 | {
    readonly identityToken: string;
};

/**
 * What kind of thing went wrong; stable, for programs.
 * A program that reads a JSON report switches on this, never on the message.
 */
type TgoErrorCode = 
/** The caller's input is wrong: an unknown name, a malformed value, a missing file. */
"USAGE"
/** The catalog does not parse. */
 | "CATALOG"
/** The service's source is missing, or lacks what its build strategy needs. */
 | "SOURCE"
/** The build itself failed. */
 | "BUILD"
/** A built variant is not what its platform says (ELF machine, architecture). */
 | "CHECK"
/** A variant started, but did not answer as its service should. */
 | "SMOKE"
/** No credentials, wrong ones, or ones without the needed right. */
 | "UNAUTHORIZED"
/** A repository, tag, manifest or blob is not there. */
 | "NOT_FOUND"
/** A registry refuses, and repeating would not help. */
 | "DENIED"
/** A registry cannot be reached, or answers with a fault that may pass. */
 | "UNAVAILABLE"
/** What a registry returned is not what was asked for (digest, media type, HTML). */
 | "INVALID_RESPONSE"
/** A published image differs from the plan. */
 | "VERIFY"
/** The machine lacks something: an engine, a tool, emulation, root, disk. */
 | "ENVIRONMENT"
/** The caller stopped it. */
 | "INTERRUPTED"
/** A foreseen place, an unforeseen fault: a defect of ours. */
 | "INTERNAL";

/**
 * What is being done right now, for people who wait. Never an input of a build.
 * A step begins once and ends once; `id` pairs the two.
 */
interface ProgressEvent {
    readonly kind: "begin" | "end" | "note";
    /** Unique among the run's steps. */
    readonly id: string;
    /** What is done, e.g. "build", "check", "smoke", "upload", "finalise", "verify". */
    readonly step: string;
    readonly service?: string | undefined;
    readonly platform?: string | undefined;
    readonly registry?: string | undefined;
    /** For "end": how it went. */
    readonly state?: "done" | "already there" | "failed" | undefined;
    /** One line more: a result, a reason, a size. */
    readonly detail?: string | undefined;
    /** For "end": milliseconds since its "begin". */
    readonly durationMs?: number | undefined;
}
type ProgressListener = (event: ProgressEvent) => void;
/** One plain line an event: what a Dagger module's log shows. */
declare function formatEvent(event: ProgressEvent): string;

/**
 * Where the stages run, as far as it matters to them. A Dagger module's container needs none of it;
 * the `tgo` command fills it in.
 */
interface Host {
    /** Told of every step; by default one plain line each on stderr. */
    readonly progress?: ProgressListener | undefined;
    /** Aborts every request when the user presses Ctrl-C. */
    readonly signal?: AbortSignal | undefined;
    /** What runs the containers, for the report; asked of the engine when absent. */
    readonly engine?: string | undefined;
    /** The command line as the user typed it, for "next:" in a failed report. */
    readonly invocation?: string | undefined;
    /** How a text report is written; without colour and 100 columns wide by default. */
    readonly text?: {
        readonly color: boolean;
        readonly width: number;
    } | undefined;
    /**
     * Whether this process is on the user's own machine. The engine may be in a container, where localhost is another:
     * registries of this machine are then reached through this process.
     */
    readonly local?: boolean | undefined;
    /** Credentials of a registry when no docker config is passed as a secret. */
    readonly credentials?: ((host: string) => Promise<Credentials | undefined>) | undefined;
}
/** Called once by the `tgo` command, before it runs a function of the module. */
declare function setHost(host: Host): void;

/** One run of a function, whatever happened: everything a face (terminal, JSON, Markdown) needs. */
interface Report {
    /** The function that ran. */
    readonly command: "publish" | "verify" | "smoke" | "build";
    readonly ok: boolean;
    /** What ran the stages, e.g. "Dagger engine v0.21.8" or "embedded engine (Buildah 1.28.2)". */
    readonly engine: string | undefined;
    /** Hash of the pipelines' own code, 16 hex digits. */
    readonly pipeline: string;
    /** Wall time in milliseconds. */
    readonly durationMs: number;
    readonly services: readonly ServiceReport[];
    /** The command that does what is left to do; absent when nothing is. */
    readonly next?: string | undefined;
}
type ServiceState = "published" | "already there" | "verified" | "built" | "smoke ok" | "failed";
interface ServiceReport {
    readonly service: string;
    readonly state: ServiceState;
    /** Commit of the source, or `dev-<hash>` for a source with changes. */
    readonly revision?: string | undefined;
    /** Tag under which the image was published, e.g. `candidate-0123456789abcdef`. */
    readonly tag?: string | undefined;
    /** Digest of the index, equal in every registry. */
    readonly digest?: string | undefined;
    readonly variants: readonly VariantReport[];
    readonly registries: readonly RegistryReport[];
    /** What the service as a whole failed of. */
    readonly problems: readonly Problem[];
    /** What a reader should know and need not act on, e.g. that a Dockerfile was emulated. */
    readonly notes: readonly string[];
    readonly durationMs: number;
}
interface VariantReport {
    /** `os/architecture` */
    readonly platform: string;
    /** Digest of the variant's manifest. */
    readonly digest?: string | undefined;
    /** Compressed size in bytes: config and layers, as a registry stores them. */
    readonly size?: number | undefined;
    readonly elf?: {
        readonly files: number;
        readonly elf: number;
        readonly foreign: readonly string[];
    } | undefined;
    readonly smoke?: SmokeReport | undefined;
}
interface SmokeReport {
    readonly ok: boolean;
    /** What the variant itself says it runs on, e.g. "aarch64". */
    readonly machine?: string | undefined;
    /** One line a step: "GET :8000/health 200", "exec nginx -t". */
    readonly lines: readonly string[];
    /** Ran now, or when the candidate was made (then the lines come from the image's annotations). */
    readonly recorded: boolean;
    readonly durationMs?: number | undefined;
}
type RegistryState = "done" | "already there" | "verified" | "failed" | "not started";
interface RegistryReport {
    /** The catalog's name of the registry. */
    readonly registry: string;
    /** `host/repository:tag` */
    readonly reference: string;
    readonly state: RegistryState;
    readonly digest?: string | undefined;
    /** Bytes sent over the wire to this registry by this run. */
    readonly uploaded?: number | undefined;
    readonly problems: readonly Problem[];
    readonly durationMs: number;
}
interface Problem {
    readonly code: TgoErrorCode;
    readonly what: string;
    readonly where?: string | undefined;
    readonly remedy?: string | undefined;
}

/** The constructor arguments of the module, as they arrive. */
interface Options {
    readonly catalog?: File | undefined;
    readonly registry?: readonly string[] | undefined;
    readonly registryService?: readonly Service[] | undefined;
    readonly platform?: readonly string[] | undefined;
    readonly dockerConfig?: Secret | undefined;
    readonly caBundle?: File | undefined;
    readonly netrc?: Secret | undefined;
    readonly npmrc?: Secret | undefined;
    readonly buildSecrets?: Secret | undefined;
    readonly repos?: Directory | undefined;
}
/** What is compiled into the bundle. */
interface Product {
    /** The built-in catalog, as data. */
    readonly catalog: unknown;
    readonly pipeline: string;
}

type OutputFormat = "text" | "json" | "markdown";
/** The arguments every function about a source takes. */
interface SourceArguments {
    readonly source?: Directory | undefined;
    readonly revision?: string | undefined;
    readonly created?: string | undefined;
    readonly value?: readonly string[] | undefined;
}
/** A function failed; the message is its whole report, in the format asked for. */
declare class ReportError extends Error {
    readonly report: Report;
    constructor(message: string, report: Report);
}
/** The module's functions, without decorators: what a shell parses, this calls and renders. */
declare class Pipelines$1 {
    private readonly client;
    private readonly product;
    private readonly options;
    constructor(client: Client, product: Product, options: Options);
    services(format: OutputFormat): Promise<string>;
    plan(service: readonly string[], format: OutputFormat): Promise<string>;
    /** One variant of a service, built and checked, as a container. */
    build(name: string, source: SourceArguments): Promise<Container>;
    smoke(service: readonly string[], source: SourceArguments, format: OutputFormat): Promise<string>;
    publish(service: readonly string[], source: SourceArguments, format: OutputFormat): Promise<string>;
    verify(service: readonly string[], { tag, elf }: {
        tag?: string | undefined;
        elf: boolean;
    }, source: SourceArguments, format: OutputFormat): Promise<string>;
    private catalog;
    /** Runs one stage for every service at once, and throws a report that is not ok. */
    private report;
}

/**
 * What the module's shell and the `tgo` command call: the packages with the product's data, bundled into
 * lib/core.js. A Dagger module sees only its own folder, and is loaded straight from git.
 */

/** Hash of this bundle's own code, written in when it is made. */
declare const PIPELINE = "0000000000000000";
/** The catalog as shipped; registries and platforms are the schema's defaults. */
declare const BUILT_IN: {
    services: {
        "tgo-api": {
            $schema: string;
            title: string;
            description: string;
            build: {
                strategy: string;
                packages: string[];
                exclude: string[];
            };
            image: {
                env: {
                    PYTHONUNBUFFERED: string;
                    APP_VERSION: string;
                    GIT_COMMIT: string;
                    BUILD_TIME: string;
                };
                ports: number[];
                command: string[];
                directories: {
                    path: string;
                }[];
                links: {
                    path: string;
                    target: string;
                }[];
                healthcheck: {
                    command: string[];
                    startPeriod: string;
                };
            };
            smoke: {
                exec: string[][];
                http: {
                    port: number;
                    path: string;
                }[];
            };
        };
        "tgo-ai": {
            $schema: string;
            title: string;
            description: string;
            build: {
                strategy: string;
                packages: string[];
                exclude: string[];
            };
            image: {
                user: string;
                env: {
                    PYTHONUNBUFFERED: string;
                    APP_VERSION: string;
                    GIT_COMMIT: string;
                    BUILD_TIME: string;
                    HOME: string;
                };
                ports: number[];
                command: string[];
                healthcheck: {
                    command: string[];
                    startPeriod: string;
                };
            };
            smoke: {
                exec: string[][];
                http: {
                    port: number;
                    path: string;
                }[];
            };
        };
        "tgo-platform": {
            $schema: string;
            title: string;
            description: string;
            build: {
                strategy: string;
                packages: string[];
                exclude: string[];
            };
            image: {
                env: {
                    PYTHONUNBUFFERED: string;
                    APP_VERSION: string;
                    GIT_COMMIT: string;
                    BUILD_TIME: string;
                };
                ports: number[];
                command: string[];
                healthcheck: {
                    command: string[];
                    startPeriod: string;
                };
            };
            smoke: {
                exec: string[][];
                http: {
                    port: number;
                    path: string;
                }[];
            };
        };
        "tgo-rag": {
            $schema: string;
            title: string;
            description: string;
            build: {
                strategy: string;
                packages: string[];
                exclude: string[];
            };
            image: {
                user: string;
                env: {
                    PYTHONUNBUFFERED: string;
                    APP_VERSION: string;
                    GIT_COMMIT: string;
                    BUILD_TIME: string;
                    HOME: string;
                    PYTHONPATH: string;
                };
                ports: number[];
                command: string[];
                directories: {
                    path: string;
                    owner: string;
                }[];
                healthcheck: {
                    command: string[];
                    startPeriod: string;
                };
            };
            smoke: {
                exec: string[][];
                http: {
                    port: number;
                    path: string;
                }[];
            };
        };
        "tgo-web": {
            $schema: string;
            title: string;
            description: string;
            build: {
                strategy: string;
                values: {
                    VITE_API_BASE_URL: {
                        default: string;
                        description: string;
                    };
                    VITE_APP_VERSION: {
                        default: string;
                        description: string;
                    };
                };
            };
            image: {
                files: {
                    from: string;
                    to: string;
                    mode: string;
                }[];
                entrypoint: string[];
                command: string[];
                ports: number[];
                healthcheck: {
                    command: string[];
                    startPeriod: string;
                };
            };
            smoke: {
                exec: string[][];
                http: {
                    port: number;
                    path: string;
                }[];
            };
        };
        "tgo-widget-app": {
            $schema: string;
            title: string;
            description: string;
            build: {
                strategy: string;
                values: {
                    VITE_API_BASE_URL: {
                        default: string;
                        description: string;
                    };
                    VITE_APP_VERSION: {
                        default: string;
                        description: string;
                    };
                };
            };
            image: {
                files: {
                    from: string;
                    to: string;
                    mode: string;
                }[];
                entrypoint: string[];
                command: string[];
                ports: number[];
                healthcheck: {
                    command: string[];
                    startPeriod: string;
                };
            };
            smoke: {
                exec: string[][];
                http: {
                    port: number;
                    path: string;
                }[];
            };
        };
    };
};
/** The pipelines of TGO, on a client of any engine. */
declare class Pipelines extends Pipelines$1 {
    constructor(client: Client, options: Options);
}

export { BUILT_IN, PIPELINE, Pipelines, ReportError, formatEvent, setHost };
export type { Host, Options, OutputFormat, ProgressEvent, SourceArguments };
