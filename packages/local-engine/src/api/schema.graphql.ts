/**
 * The part of Dagger v0.21.8's schema that this engine supports, with the same types, fields, arguments and defaults.
 * Anything else fails with an error that names it.
 */
export const SDL = /* GraphQL */ `
  interface Node {
    id: ID!
  }

  type Query implements Node {
    cacheVolume(key: String!): CacheVolume!
    container(platform: Platform): Container!
    defaultPlatform: Platform!
    directory: Directory!
    host: Host!
    id: ID!
    node(id: ID!): Node
    secret(uri: String!): Secret!
    setSecret(name: String!, plaintext: String!): Secret!
    version: String!
  }

  type Container implements Node {
    asService(args: [String!] = []): Service!
    asTarball(platformVariants: [ID!] = []): File!
    defaultArgs: [String!]!
    directory(path: String!): Directory!
    entrypoint: [String!]!
    envVariable(name: String!): String
    exists(path: String!): Boolean!
    exitCode: Int!
    export(path: String!, platformVariants: [ID!] = []): String!
    file(path: String!): File!
    from(address: String!, registryService: ID): Container!
    id: ID!
    imageRef: String!
    platform: Platform!
    publish(address: String!, platformVariants: [ID!] = [], registryService: ID): String!
    rootfs: Directory!
    stderr: String!
    stdout: String!
    sync: ID!
    user: String!
    withDefaultArgs(args: [String!]!): Container!
    withDirectory(
      path: String!
      source: ID!
      exclude: [String!] = []
      include: [String!] = []
      owner: String = ""
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
    withEntrypoint(args: [String!]!): Container!
    withEnvVariable(name: String!, value: String!): Container!
    withExec(args: [String!]!, expect: ReturnType = SUCCESS): Container!
    withExposedPort(port: Int!): Container!
    withFile(path: String!, source: ID!, permissions: Int, owner: String = ""): Container!
    withLabel(name: String!, value: String!): Container!
    withMountedCache(path: String!, cache: ID!): Container!
    withMountedDirectory(path: String!, source: ID!, readOnly: Boolean = false): Container!
    withMountedFile(path: String!, source: ID!): Container!
    withMountedSecret(path: String!, source: ID!): Container!
    withNewFile(path: String!, contents: String!, permissions: Int = 420, owner: String = ""): Container!
    withRegistryAuth(address: String!, username: String!, secret: ID!): Container!
    withRootfs(directory: ID!): Container!
    withSecretVariable(name: String!, secret: ID!): Container!
    withServiceBinding(alias: String!, service: ID!): Container!
    withSymlink(target: String!, linkName: String!): Container!
    withUser(name: String!): Container!
    withWorkdir(path: String!): Container!
    withoutDirectory(path: String!): Container!
    withoutDockerHealthcheck: Container!
    withoutEnvVariable(name: String!): Container!
    withoutExposedPort(port: Int!): Container!
    withoutFile(path: String!): Container!
    withoutMount(path: String!): Container!
  }

  type Directory implements Node {
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
    exists(path: String!): Boolean!
    export(path: String!): String!
    file(path: String!): File!
    filter(exclude: [String!] = [], include: [String!] = []): Directory!
    glob(pattern: String!): [String!]!
    id: ID!
    sync: ID!
    withDirectory(
      path: String!
      source: ID!
      exclude: [String!] = []
      include: [String!] = []
      owner: String = ""
    ): Directory!
    withFile(path: String!, source: ID!, permissions: Int, owner: String = ""): Directory!
    withNewDirectory(path: String!, permissions: Int = 420): Directory!
    withNewFile(path: String!, contents: String!, permissions: Int = 420): Directory!
    withSymlink(target: String!, linkName: String!): Directory!
    withTimestamps(timestamp: Int!): Directory!
    withoutDirectory(path: String!): Directory!
    withoutFile(path: String!): Directory!
  }

  type File implements Node {
    contents: String!
    digest: String!
    export(path: String!): String!
    id: ID!
    name: String!
    size: Int!
    sync: ID!
    withTimestamps(timestamp: Int!): File!
  }

  type Host implements Node {
    directory(path: String!, exclude: [String!] = [], include: [String!] = []): Directory!
    file(path: String!): File!
    id: ID!
    service(ports: [PortForward!]!, host: String = "localhost"): Service!
  }

  type Service implements Node {
    endpoint(port: Int, scheme: String = ""): String!
    id: ID!
    start: ID!
    stop(kill: Boolean = false): ID!
  }

  type Secret implements Node {
    id: ID!
    plaintext: String!
  }

  type CacheVolume implements Node {
    id: ID!
  }

  enum ReturnType {
    SUCCESS
    FAILURE
    ANY
  }

  input BuildArg {
    name: String!
    value: String!
  }

  input PortForward {
    frontend: Int
    backend: Int!
  }

  scalar Platform
`;
