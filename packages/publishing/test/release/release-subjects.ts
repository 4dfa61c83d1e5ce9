export const SERVICES = ["tgo-api", "tgo-web"] as const;
export const NAMES = ["ghcr", "dockerhub", "acr"] as const;
export type RegistryName = (typeof NAMES)[number];
export const TAGS = ["1.2.3", "1.2", "1", "latest"] as const;

/** The registry and the service whose requests fail by default. */
export const FAULTY = { registry: "dockerhub", service: "tgo-web" } as const;
