/**
 * The part of Dagger v0.21.8's schema that this engine serves: the same types, fields, arguments, defaults.
 * What is left out here is answered with an error that names it.
 */
export const SDL = /* GraphQL */ `
  interface Node {
    id: ID!
  }

  interface Syncer implements Node {
    id: ID!
    sync: ID!
  }

  interface Exportable implements Node {
    export(path: String!): String!
    id: ID!
  }

  type Query implements Node {
    cacheVolume(
      key: String!
      source: ID
      sharing: CacheSharingMode = SHARED
      owner: String = ""
    ): CacheVolume!
    container(platform: Platform): Container!
    defaultPlatform: Platform!
    directory: Directory!
    file(name: String!, contents: String!, permissions: Int = 420): File!
    host: Host!
    id: ID!
    loadCacheVolumeFromID(id: CacheVolumeID!): CacheVolume!
    loadContainerFromID(id: ContainerID!): Container!
    loadDirectoryFromID(id: DirectoryID!): Directory!
    loadFileFromID(id: FileID!): File!
    loadSecretFromID(id: SecretID!): Secret!
    loadServiceFromID(id: ServiceID!): Service!
    node(id: ID!): Node
    secret(uri: String!, cacheKey: String): Secret!
    setSecret(name: String!, plaintext: String!): Secret!
    version: String!
  }

  type Container implements Exportable & Node & Syncer {
    asService(args: [String!] = [], useEntrypoint: Boolean = false, expand: Boolean = false): Service!
    asTarball(
      platformVariants: [ID!] = []
      forcedCompression: ImageLayerCompression
      mediaTypes: ImageMediaTypes = OCIMediaTypes
    ): File!
    combinedOutput: String!
    defaultArgs: [String!]!
    directory(path: String!, expand: Boolean = false): Directory!
    dockerHealthcheck: HealthcheckConfig
    entrypoint: [String!]!
    envVariable(name: String!): String
    envVariables: [EnvVariable!]!
    exists(
      path: String!
      expectedType: ExistsType
      doNotFollowSymlinks: Boolean = false
      expand: Boolean = false
    ): Boolean!
    exitCode: Int!
    export(
      path: String!
      platformVariants: [ID!] = []
      forcedCompression: ImageLayerCompression
      mediaTypes: ImageMediaTypes = OCIMediaTypes
      expand: Boolean = false
    ): String!
    exposedPorts: [Port!]!
    file(path: String!, expand: Boolean = false): File!
    from(address: String!, registryService: ID): Container!
    id: ID!
    imageRef: String!
    label(name: String!): String
    labels: [Label!]!
    mounts: [String!]!
    platform: Platform!
    publish(
      address: String!
      platformVariants: [ID!] = []
      forcedCompression: ImageLayerCompression
      mediaTypes: ImageMediaTypes = OCIMediaTypes
      registryService: ID
    ): String!
    rootfs: Directory!
    stderr: String!
    stdout: String!
    sync: ID!
    user: String!
    withAnnotation(name: String!, value: String!): Container!
    withDefaultArgs(args: [String!]!): Container!
    withDirectory(
      path: String!
      source: ID!
      exclude: [String!] = []
      include: [String!] = []
      gitignore: Boolean = false
      owner: String = ""
      expand: Boolean = false
      permissions: Int
    ): Container!
    withDockerHealthcheck(
      args: [String!]!
      shell: Boolean
      interval: String
      timeout: String
      startPeriod: String
      startInterval: String
      retries: Int
    ): Container!
    withEntrypoint(args: [String!]!, keepDefaultArgs: Boolean = false): Container!
    withEnvVariable(name: String!, value: String!, expand: Boolean = false): Container!
    withExec(
      args: [String!]!
      useEntrypoint: Boolean = false
      stdin: String = ""
      redirectStdout: String = ""
      redirectStderr: String = ""
      expect: ReturnType = SUCCESS
      expand: Boolean = false
    ): Container!
    withExposedPort(
      port: Int!
      protocol: NetworkProtocol = TCP
      description: String
      experimentalSkipHealthcheck: Boolean = false
    ): Container!
    withFile(
      path: String!
      source: ID!
      permissions: Int
      owner: String = ""
      expand: Boolean = false
    ): Container!
    withFiles(
      path: String!
      sources: [ID!]!
      permissions: Int
      owner: String = ""
      expand: Boolean = false
    ): Container!
    withLabel(name: String!, value: String!): Container!
    withMountedCache(
      path: String!
      cache: ID!
      source: ID
      sharing: CacheSharingMode = SHARED
      owner: String = ""
      expand: Boolean = false
    ): Container!
    withMountedDirectory(
      path: String!
      source: ID!
      owner: String = ""
      readOnly: Boolean = false
      expand: Boolean = false
    ): Container!
    withMountedFile(path: String!, source: ID!, owner: String = "", expand: Boolean = false): Container!
    withMountedSecret(
      path: String!
      source: ID!
      owner: String = ""
      mode: Int = 256
      expand: Boolean = false
    ): Container!
    withMountedTemp(path: String!, size: Int, expand: Boolean = false): Container!
    withNewFile(
      path: String!
      contents: String!
      permissions: Int = 420
      owner: String = ""
      expand: Boolean = false
    ): Container!
    withRegistryAuth(address: String!, username: String!, secret: ID!): Container!
    withRootfs(directory: ID!): Container!
    withSecretVariable(name: String!, secret: ID!): Container!
    withServiceBinding(alias: String!, service: ID!): Container!
    withSymlink(target: String!, linkName: String!, expand: Boolean = false): Container!
    withUser(name: String!): Container!
    withWorkdir(path: String!, expand: Boolean = false): Container!
    withoutAnnotation(name: String!): Container!
    withoutDefaultArgs: Container!
    withoutDirectory(path: String!, expand: Boolean = false): Container!
    withoutDockerHealthcheck: Container!
    withoutEntrypoint(keepDefaultArgs: Boolean = false): Container!
    withoutEnvVariable(name: String!): Container!
    withoutExposedPort(port: Int!, protocol: NetworkProtocol = TCP): Container!
    withoutFile(path: String!, expand: Boolean = false): Container!
    withoutFiles(paths: [String!]!, expand: Boolean = false): Container!
    withoutLabel(name: String!): Container!
    withoutMount(path: String!, expand: Boolean = false): Container!
    withoutRegistryAuth(address: String!): Container!
    withoutSecretVariable(name: String!): Container!
    withoutUser: Container!
    withoutWorkdir: Container!
    workdir: String!
  }

  type Directory implements Exportable & Node & Syncer {
    chown(path: String!, owner: String!): Directory!
    diff(other: ID!): Directory!
    digest: String!
    directory(path: String!): Directory!
    dockerBuild(
      dockerfile: String = "Dockerfile"
      platform: Platform
      buildArgs: [BuildArg!] = []
      target: String = ""
      secrets: [ID!] = []
    ): Container!
    entries(path: String): [String!]!
    exists(path: String!, expectedType: ExistsType, doNotFollowSymlinks: Boolean = false): Boolean!
    export(path: String!, wipe: Boolean = false): String!
    file(path: String!): File!
    filter(exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false): Directory!
    glob(pattern: String!): [String!]!
    id: ID!
    name: String!
    sync: ID!
    withDirectory(
      path: String!
      source: ID!
      exclude: [String!] = []
      include: [String!] = []
      gitignore: Boolean = false
      owner: String = ""
      permissions: Int
    ): Directory!
    withFile(path: String!, source: ID!, permissions: Int, owner: String = ""): Directory!
    withFiles(path: String!, sources: [ID!]!, permissions: Int): Directory!
    withNewDirectory(path: String!, permissions: Int = 420): Directory!
    withNewFile(path: String!, contents: String!, permissions: Int = 420): Directory!
    withSymlink(target: String!, linkName: String!): Directory!
    withTimestamps(timestamp: Int!): Directory!
    withoutDirectory(path: String!): Directory!
    withoutFile(path: String!): Directory!
    withoutFiles(paths: [String!]!): Directory!
  }

  type File implements Exportable & Node & Syncer {
    contents(offsetLines: Int, limitLines: Int): String!
    digest(excludeMetadata: Boolean = false): String!
    export(path: String!): String!
    id: ID!
    name: String!
    size: Int!
    sync: ID!
    withTimestamps(timestamp: Int!): File!
    withName(name: String!): File!
  }

  type Host implements Node {
    directory(
      path: String!
      exclude: [String!] = []
      include: [String!] = []
      noCache: Boolean = false
      gitignore: Boolean = false
    ): Directory!
    file(path: String!, noCache: Boolean = false): File!
    id: ID!
    service(ports: [PortForward!]!, host: String = "localhost"): Service!
  }

  type Service implements Node & Syncer {
    endpoint(port: Int, scheme: String = ""): String!
    hostname: String!
    id: ID!
    ports: [Port!]!
    start: ID!
    stop(kill: Boolean = false): ID!
    sync: ID!
    withHostname(hostname: String!): Service!
  }

  type Secret implements Node {
    id: ID!
    name: String!
    plaintext: String!
    uri: String!
  }

  type CacheVolume implements Node {
    id: ID!
  }

  type EnvVariable implements Node {
    id: ID!
    name: String!
    value: String!
  }

  type Label implements Node {
    id: ID!
    name: String!
    value: String!
  }

  type Port implements Node {
    description: String
    experimentalSkipHealthcheck: Boolean!
    id: ID!
    port: Int!
    protocol: NetworkProtocol!
  }

  type HealthcheckConfig implements Node {
    args: [String!]!
    id: ID!
    interval: String!
    retries: Int!
    shell: Boolean!
    startInterval: String!
    startPeriod: String!
    timeout: String!
  }

  enum ReturnType {
    SUCCESS
    FAILURE
    ANY
  }

  enum CacheSharingMode {
    SHARED
    PRIVATE
    LOCKED
  }

  enum ImageLayerCompression {
    Gzip
    Zstd
    EStarGZ
    Uncompressed
    GZIP
    ZSTD
    ESTARGZ
    UNCOMPRESSED
  }

  enum ImageMediaTypes {
    OCIMediaTypes
    DockerMediaTypes
    OCI
    DOCKER
  }

  enum NetworkProtocol {
    TCP
    UDP
  }

  enum ExistsType {
    REGULAR_TYPE
    DIRECTORY_TYPE
    SYMLINK_TYPE
  }

  input BuildArg {
    name: String!
    value: String!
  }

  input PortForward {
    frontend: Int
    backend: Int!
    protocol: NetworkProtocol = TCP
  }

  scalar Platform
  scalar Void
  scalar CacheVolumeID
  scalar ContainerID
  scalar DirectoryID
  scalar FileID
  scalar SecretID
  scalar ServiceID
`;
