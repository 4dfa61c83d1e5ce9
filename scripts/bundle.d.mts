export function bundleTools(): Promise<string>;
