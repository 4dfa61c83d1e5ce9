/** An image as its documents describe it, for `inspect`. JSON of this shape is part of the command's interface. */
export interface ImageTree {
  /** In full: `docker.io/library/python:3.11`. */
  readonly reference: string;
  readonly digest: string;
  readonly mediaType: string;
  /** Of the document itself, in bytes. */
  readonly size: number;
  readonly kind: "index" | "image" | "artifact";
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** What can be pulled: one for each platform of an index, in its order. */
  readonly platforms: readonly PlatformTree[];
  /** BuildKit's attestations, listed in the index. */
  readonly attestations: readonly AttestationTree[];
  /** What else is attached: signatures, SBOMs, a release's record. Absent when they could not be read. */
  readonly referrers?: readonly ReferrerTree[];
  /** What only some platforms contain, one line each. Absent where layers were not read. */
  readonly differences?: readonly string[];
  /** For an artifact: its blobs. */
  readonly blobs?: readonly BlobTree[];
  /** What could not be read, and anything unusual: one line each. */
  readonly notes: readonly string[];
}

export interface PlatformTree {
  /** `os/architecture[/variant]`; "unknown" when neither index nor config names one. */
  readonly platform: string;
  readonly digest: string;
  readonly mediaType: string;
  /** What a pull transfers: config and layers, compressed, in bytes. */
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** Absent when it could not be read. */
  readonly config?: ConfigTree;
  readonly layers: readonly LayerTree[];
  /** Every step that made the image, the first one first. */
  readonly history: readonly HistoryTree[];
  /** The command that pulls exactly this. */
  readonly pull: string;
  /** Absent where its layers were not read. */
  readonly contents?: ContentsTree;
}

/** What the layers of one platform contain. */
export interface ContentsTree {
  readonly files: number;
  /** ELF files by machine: `{ "x86-64": 1200 }`. */
  readonly elf: Readonly<Record<string, number>>;
  /** Programs and extension modules, and libraries that they load. */
  readonly links: { readonly roots: number; readonly libraries: number };
  /** ELF files for other machines, and what keeps programs and modules from being loaded: one line each. */
  readonly problems: readonly string[];
  /** Promised machines whose loaders take every file. Whether their processors have all instructions, only a run shows. */
  readonly fits: readonly string[];
  /** The other promised machines. */
  readonly keptOut: readonly KeptOut[];
}

export interface KeptOut {
  readonly machine: string;
  /** What keeps it out: file, package, and why; the first one. */
  readonly because: string;
}

export interface ConfigTree {
  readonly digest: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly created?: string;
  readonly user?: string;
  readonly workingDir?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env: readonly string[];
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
}

export interface LayerTree {
  readonly digest: string;
  readonly mediaType: string;
  /** Compressed, in bytes. */
  readonly size: number;
  /** Other platforms, or other images of the same call, have it too. */
  readonly shared: boolean;
  /** The step of the history that made it. */
  readonly createdBy?: string;
}

export interface HistoryTree {
  readonly created?: string;
  readonly createdBy: string;
  readonly comment?: string;
  /** The layer it made; absent for a step that changed only the config. */
  readonly layer?: string;
}

export interface AttestationTree {
  readonly digest: string;
  /** The digest of the manifest that it is about. */
  readonly subject?: string;
  /** What it says, such as "https://slsa.dev/provenance/v1". */
  readonly predicates: readonly string[];
}

export interface ReferrerTree {
  readonly digest: string;
  /** Its artifact type. */
  readonly type: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface BlobTree {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
}
